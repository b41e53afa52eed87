# llama-cpp-python builds a library that it does not load, which takes longer than all that it does, and has no switch
# for that: included where llama.cpp's own settings begin.
set(LLAMA_BUILD_COMMON OFF)
