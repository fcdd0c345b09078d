# The engine as one library for other programs, and its installation: headers, library, CMake package, pkg-config file.
#
# BUILD_SHARED_LIBS (CMake's own): ON the shared library, OFF the static one, not set both. Either is made from the
# rooms' objects as they are; what the shared one shows is COCO_API's.
include(CMakePackageConfigHelpers)

set(rooms base format compiler kernels resample backends runtime vision capi)
if(COCO_COMPILER)
  list(APPEND rooms graph)
endif()
set(objects ${rooms})
list(TRANSFORM objects REPLACE "(.+)" "$<TARGET_OBJECTS:coco_\\1>")
configure_file(exports.map.in exports.map @ONLY)

foreach(kind static shared)
  set(target cocopipe_engine_${kind})
  string(TOUPPER ${kind} type)
  add_library(${target} ${type} EXCLUDE_FROM_ALL ${objects})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME cocopipe-engine EXPORT_NAME engine_${kind} LINKER_LANGUAGE CXX)
  target_include_directories(${target} INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/engine/include> $<BUILD_INTERFACE:${generated}>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(${target} INTERFACE cxx_std_20)
  target_link_libraries(${target} PRIVATE Threads::Threads OpenSSL::Crypto PkgConfig::HWY ${CMAKE_DL_LIBS})
  if(COCO_COMPILER) # the package makes cocopipe::onnx where it is used
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:coco_onnx> $<INSTALL_INTERFACE:cocopipe::onnx>)
  endif()
endforeach()
set_target_properties(cocopipe_engine_shared PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${COCO_ABI_VERSION}
                      LINK_DEPENDS ${CMAKE_CURRENT_BINARY_DIR}/exports.map)
target_link_options(cocopipe_engine_shared PRIVATE LINKER:--version-script=${CMAKE_CURRENT_BINARY_DIR}/exports.map)
if(NOT COCO_SANITIZE) # their run time is in the program
  target_link_options(cocopipe_engine_shared PRIVATE LINKER:-z,defs)
endif()

if(NOT DEFINED BUILD_SHARED_LIBS)
  set(kinds static shared)
elseif(BUILD_SHARED_LIBS)
  set(kinds shared)
else()
  set(kinds static)
endif()
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/cocopipe)
foreach(kind ${kinds})
  set_target_properties(cocopipe_engine_${kind} PROPERTIES EXCLUDE_FROM_ALL FALSE)
  install(TARGETS cocopipe_engine_${kind} EXPORT cocopipe-${kind} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT cocopipe-${kind} NAMESPACE cocopipe:: DESTINATION ${package})
endforeach()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/engine/include/coco DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${generated}/coco/coco.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/coco)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

configure_package_config_file(cocopipe-config.cmake.in cocopipe-config.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/cocopipe-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/cocopipe-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/cocopipe-config-version.cmake DESTINATION ${package})

# pkg-config: what the static library needs is private where there is a shared one.
set(requires "libhwy libcrypto")
set(libs "-lstdc++ -lm -ldl -pthread")
if(COCO_COMPILER)
  string(APPEND requires " protobuf")
  string(PREPEND libs "-lonnx -lonnx_proto ")
endif()
if(kinds STREQUAL static)
  set(PC_LIBS "Requires: ${requires}\nLibs: -L\${libdir} -lcocopipe-engine ${libs}")
else()
  set(PC_LIBS "Requires.private: ${requires}\nLibs: -L\${libdir} -lcocopipe-engine\nLibs.private: ${libs}")
endif()
file(RELATIVE_PATH PC_UP /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" PC_UP ${PC_UP})
configure_file(cocopipe-engine.pc.in cocopipe-engine.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/cocopipe-engine.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
