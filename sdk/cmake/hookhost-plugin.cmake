# hookhost_add_plugin(NAME SOURCE...)
#
# A plugin: NAME.so, a MODULE library without a prefix, hidden visibility, one exported symbol, linked with nothing left undefined.
# In the cache, for the function is also called from folders beside the one that includes this file.
set(HOOKHOST_PLUGIN_SYMBOLS ${CMAKE_CURRENT_LIST_DIR}/plugin.symbols CACHE INTERNAL "")
function(hookhost_add_plugin name)
  add_library(${name} MODULE ${ARGN})
  target_link_libraries(${name} PRIVATE hookhost::sdk)
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so" C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON POSITION_INDEPENDENT_CODE ON)
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
  target_link_options(${name} PRIVATE "-Wl,--version-script=${HOOKHOST_PLUGIN_SYMBOLS}")
  if(NOT "${CMAKE_CXX_FLAGS} ${CMAKE_C_FLAGS} ${HOOKHOST_SANITIZE}" MATCHES "sanitize|address|thread")
    target_link_options(${name} PRIVATE -Wl,-z,defs)
  endif()
endfunction()
