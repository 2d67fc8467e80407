# hookhost_add_plugin(NAME SOURCE... [REQUIRES MINOR])
#
# A plugin for hookhost: NAME.so, a MODULE library without a prefix, with hidden visibility and one exported symbol, nothing left undefined.
# Sources are C (C11) or C++ (C++20). REQUIRES is the lowest ABI minor that a host must have (HOOKHOST_ABI_MINOR_NEEDED); leave it out unless
# the plugin cannot do without something newer than 1.0.
# In the cache, for the function is also called from folders beside the one that includes this file.
set(HOOKHOST_PLUGIN_SYMBOLS ${CMAKE_CURRENT_LIST_DIR}/plugin.symbols CACHE INTERNAL "")

function(hookhost_add_plugin name)
  cmake_parse_arguments(PLUGIN "" "REQUIRES" "" ${ARGN})
  if(NOT PLUGIN_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "hookhost_add_plugin(${name}): name its sources")
  endif()
  add_library(${name} MODULE ${PLUGIN_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE hookhost::sdk)
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so" C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON POSITION_INDEPENDENT_CODE ON)
  if(PLUGIN_REQUIRES)
    target_compile_definitions(${name} PRIVATE HOOKHOST_ABI_MINOR_NEEDED=${PLUGIN_REQUIRES})
  endif()

  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if(CXX IN_LIST languages)
    target_compile_features(${name} PRIVATE cxx_std_20)
    # A unique symbol would be shared between all plugins of the process, whatever their visibility.
    target_compile_options(${name} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
  endif()
  if(C IN_LIST languages)
    target_compile_features(${name} PRIVATE c_std_11)
  endif()

  # An anonymous version script: a named one would add a symbol of its own.
  target_link_options(${name} PRIVATE "LINKER:--version-script=${HOOKHOST_PLUGIN_SYMBOLS}")
  set_property(TARGET ${name} APPEND PROPERTY LINK_DEPENDS ${HOOKHOST_PLUGIN_SYMBOLS})
  # Clang leaves its sanitizers' symbols to be found in the executable.
  get_directory_property(options COMPILE_OPTIONS)
  string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
  set(flags "${options} ${CMAKE_C_FLAGS} ${CMAKE_CXX_FLAGS} ${CMAKE_C_FLAGS_${type}} ${CMAKE_CXX_FLAGS_${type}}")
  if(NOT (flags MATCHES "-fsanitize" AND "${CMAKE_C_COMPILER_ID} ${CMAKE_CXX_COMPILER_ID}" MATCHES "Clang"))
    target_link_options(${name} PRIVATE "LINKER:-z,defs")
  endif()
endfunction()
