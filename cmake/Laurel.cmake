# The one set of compiler options, and the helpers that every folder's CMakeLists.txt uses.

add_library (laurel-options INTERFACE)
target_compile_options (laurel-options INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef
  -Wno-unused-parameter -Wno-missing-field-initializers
  -Werror=implicit -Werror=int-conversion -Werror=incompatible-pointer-types
  -Werror=return-type -Werror=format=2 -Werror=strict-prototypes)
target_include_directories (laurel-options INTERFACE "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}")
target_compile_definitions (laurel-options INTERFACE _GNU_SOURCE G_LOG_DOMAIN="laurel")
if (LAUREL_SANITIZE)
  target_compile_options (laurel-options INTERFACE -fsanitize=${LAUREL_SANITIZE} -fno-omit-frame-pointer)
  target_link_options (laurel-options INTERFACE -fsanitize=${LAUREL_SANITIZE})
endif ()
if (LAUREL_SANITIZE STREQUAL "thread" AND CMAKE_C_COMPILER_ID STREQUAL "Clang")
  # What gcc says by itself.
  target_compile_definitions (laurel-options INTERFACE __SANITIZE_THREAD__)
endif ()

# What LeakSanitizer needs to know, and what programs with a window need under it: Mesa keeps
# memory and unloads its drivers, so that no line of lsan.supp could name them.
set (laurel_leak_environment
  LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/lsan.supp:print_suppressions=0)
set (laurel_glib_debug fatal-warnings,gc-friendly)
if (LAUREL_SANITIZE STREQUAL "thread")
  # GLib wipes freed memory under locks that ThreadSanitizer does not see.
  set (laurel_glib_debug fatal-warnings)
endif ()
# Teams of two threads where a test does not ask for one; LLVM's library tells the sanitizer when they
# meet. Libraries that are not compiled for it would be taken to race. A race is reported only while
# the history of both threads is kept.
set (laurel_thread_environment "")
set (laurel_patience 1)
if (LAUREL_SANITIZE)
  set (laurel_patience 3)
endif ()
if (LAUREL_SANITIZE STREQUAL "thread")
  set (laurel_thread_environment OMP_NUM_THREADS=2
    TSAN_OPTIONS=halt_on_error=1:history_size=7:ignore_noninstrumented_modules=1)
  set (laurel_patience 8)
endif ()
set (laurel_screen_environment "")
if (LAUREL_SANITIZE)
  set (laurel_screen_environment GDK_DEBUG=gl-disable)
endif ()

# laurel_library (NAME SOURCES … LINK …): one static library per folder of core and ui.
# What a folder may know is what it links: see the map in HACKING.md.
function (laurel_library name)
  cmake_parse_arguments (arg "" "" "SOURCES;LINK;PRIVATE" ${ARGN})
  add_library (${name} STATIC ${arg_SOURCES})
  target_link_libraries (${name} PUBLIC laurel-options PkgConfig::GIO ${arg_LINK} PRIVATE ${arg_PRIVATE} m)
endfunction ()

# laurel_test (NAME SOURCES … LINK … [LABELS …] [TIMEOUT …] [WINDOW]): one GLib test program.
# WINDOW runs it under Xvfb with a session bus of its own; -noreset, or a server whose last client leaves
# starts over and turns away whoever comes at that moment.
function (laurel_test name)
  cmake_parse_arguments (arg "WINDOW" "TIMEOUT" "SOURCES;LINK;LABELS;ENVIRONMENT" ${ARGN})
  add_executable (${name} ${arg_SOURCES})
  target_compile_options (${name} PRIVATE -UG_DISABLE_ASSERT)
  target_link_libraries (${name} PRIVATE laurel-options ${arg_LINK} m)
  if (arg_WINDOW)
    add_test (NAME ${name} COMMAND dbus-run-session -- xvfb-run -a -s "-screen 0 1600x1000x24 -noreset"
      $<TARGET_FILE:${name}> --tap)
    set_tests_properties (${name} PROPERTIES RESOURCE_LOCK display)
  else ()
    add_test (NAME ${name} COMMAND ${name} --tap)
  endif ()
  if (arg_WINDOW)
    list (APPEND arg_ENVIRONMENT ${laurel_screen_environment})
  endif ()
  if (NOT arg_TIMEOUT)
    set (arg_TIMEOUT 120)
  endif ()
  math (EXPR arg_TIMEOUT "${arg_TIMEOUT} * ${laurel_patience}")
  set_tests_properties (${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}"
    ENVIRONMENT "${laurel_thread_environment};G_TEST_SRCDIR=${CMAKE_SOURCE_DIR}/tests;G_TEST_BUILDDIR=${CMAKE_BINARY_DIR}/tests;G_DEBUG=${laurel_glib_debug};GSETTINGS_BACKEND=memory;GSETTINGS_SCHEMA_DIR=${CMAKE_BINARY_DIR}/data;GTK_A11Y=test;OMP_WAIT_POLICY=passive;${laurel_leak_environment};${arg_ENVIRONMENT}")
endfunction ()

# laurel_test_again (NAME SUFFIX VARIABLE=VALUE…): the same program once more in another environment.
function (laurel_test_again name suffix)
  get_test_property (${name} ENVIRONMENT environment)
  get_test_property (${name} LABELS labels)
  get_test_property (${name} TIMEOUT timeout)
  add_test (NAME ${name}-${suffix} COMMAND ${name} --tap)
  set_tests_properties (${name}-${suffix} PROPERTIES TIMEOUT ${timeout} LABELS "${labels}"
    ENVIRONMENT "${environment};${ARGN}")
endfunction ()
