# Toolchain: Debian's cross compiler, arm64 libraries from build/sysroot (filled by tools/dev/aarch64.sh), programs run
# under qemu-user. Programs of the build itself (flatc) are the host's.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

get_filename_component(COCO_SYSROOT ${CMAKE_CURRENT_LIST_DIR}/../build/sysroot ABSOLUTE)
set(CMAKE_SYSROOT ${COCO_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_DIR} "")
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${COCO_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR} ${COCO_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${COCO_SYSROOT}/usr/share/pkgconfig)

# Every program of the build is started this way, by the build and by ctest; QEMU_CPU chooses the processor.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L ${COCO_SYSROOT})
