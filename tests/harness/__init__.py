"""What our tests are built from: an OTLP sink, scripts in processes of their own, evil objects, comparisons."""
