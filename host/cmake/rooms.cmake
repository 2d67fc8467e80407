# hookhost_room(NAME SOURCES file... [ROOMS room...] [LINK library...])
#
# One room of host/ as one static library, hookhost_NAME. ROOMS are the rooms whose headers it includes (DESIGN: only rooms above it in
# host/README.md's table); LINK are third-party libraries, which stay private to the room unless PUBLIC_LINK names them.
function(hookhost_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;ROOMS;LINK;PUBLIC_LINK" ${ARGN})
  if(ROOM_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "hookhost_room(${name}): unknown arguments ${ROOM_UNPARSED_ARGUMENTS}")
  endif()
  add_library(hookhost_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(hookhost_${name} PUBLIC ${PROJECT_SOURCE_DIR}/host)
  foreach(room IN LISTS ROOM_ROOMS)
    target_link_libraries(hookhost_${name} PUBLIC hookhost_${room})
  endforeach()
  target_link_libraries(hookhost_${name} PRIVATE ${ROOM_LINK} PUBLIC ${ROOM_PUBLIC_LINK})
  hookhost_warnings(hookhost_${name})
endfunction()
