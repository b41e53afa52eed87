"""GPUs of NVIDIA, read through NVML: what a scrape or an export says about them is what the driver said just then.

Nothing is loaded before the first collection.  A worker takes one snapshot for all instruments and readers, within a
budget of time; what cannot be read is absent.  No CUDA context is ever made.  :mod:`.table` says what is read.
"""
