# How every target of the project is made.
include(GNUInstallDirs)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
# One definition of float arithmetic: no contraction behind our back, kernels say where they fuse.
add_compile_options(-ffp-contract=off)
if(COCO_SANITIZE)
  add_compile_options(-fsanitize=${COCO_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${COCO_SANITIZE})
  add_compile_definitions(COCO_FEW_TARGETS)
endif()

function(coco_warnings target)
  # GCC 12 warns wrongly about "literal" + std::string (its bug 105651).
  target_compile_options(${target} PRIVATE -Wall -Wextra $<$<BOOL:${COCO_WERROR}>:-Werror>
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>)
endfunction()

# Code that reinterprets no memory compiles in two thirds of the time without the undefined behaviour sanitizer's checks
# of every pointer; the address sanitizer finds what they would.
function(coco_skip_pointer_checks target)
  if(COCO_SANITIZE MATCHES undefined)
    target_compile_options(${target} PRIVATE -fno-sanitize=null,alignment,object-size,vptr)
  endif()
endfunction()

# What runs for milliseconds and takes long to optimise: under sanitizers it is not optimised at all.
function(coco_compile_plainly target)
  if(COCO_SANITIZE)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()

# What runs once a command, or only calls the libraries that are measured, compiles in two thirds of the time at -O1.
function(coco_compile_quickly target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
  coco_skip_pointer_checks(${target})
endfunction()

# coco_library(name SOURCES a.cpp ... [PUBLIC targets...] [PRIVATE targets...])
# A static library of one room. Includes are written from engine/ ("base/x.h") or as <coco/x.h>.
function(coco_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}/engine/include ${PROJECT_SOURCE_DIR}/engine)
  target_link_libraries(${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  coco_warnings(${name})
endfunction()

# coco_program(name SOURCES ... LINK ...): an executable in build/<preset>/bin.
function(coco_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
  coco_warnings(${name})
endfunction()

# coco_test(name SOURCES ... LINK ... [LABELS ...]): one Catch2 program, one ctest entry, run from the source root.
function(coco_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${ARG_LINK} coco_test_main)
  coco_warnings(${name})
  coco_compile_quickly(${name})
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES ENVIRONMENT
    "COCO_SOURCE_DIR=${PROJECT_SOURCE_DIR};COCO_BIN_DIR=${CMAKE_BINARY_DIR}/bin;GST_PLUGIN_PATH=${CMAKE_BINARY_DIR}/lib/gstreamer-1.0;GST_REGISTRY=${CMAKE_BINARY_DIR}/gst-registry.bin"
    TIMEOUT 600 LABELS "${ARG_LABELS}")
  # Tests that start programs of the build start them as ctest starts the tests. GStreamer's helper that looks at plugins
  # is such a program too, and not ours to start.
  if(CMAKE_CROSSCOMPILING)
    list(JOIN CMAKE_CROSSCOMPILING_EMULATOR " " emulator)
    set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT "COCO_EMULATOR=${emulator}" "GST_REGISTRY_FORK=no")
  endif()
  # GLib and the libraries its plugins load have no frame pointers: only the slow unwinder sees whose a leak is.
  if(COCO_SANITIZE MATCHES address AND name MATCHES "plugins|pipelines")
    set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT "ASAN_OPTIONS=detect_leaks=1:fast_unwind_on_malloc=0")
  endif()
  # No plans from the user's own tuning.
  set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT "COCO_TUNING_DIR=")
endfunction()
