# Read by CMake within llama-cpp-python's project() call (CMAKE_PROJECT_llama_cpp_INCLUDE). A normal variable hides the
# cache variable that llama-cpp-python forces on, so llama.cpp's "common" library is not built: it serves llama.cpp's
# own programs, the bindings never load it, and it is more than half of the compile time.
set(LLAMA_BUILD_COMMON OFF)
