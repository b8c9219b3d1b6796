# floor(NAME ON lower… LINK library…): the static library est_NAME of daemon/NAME/*.cpp.
#
# A floor may name only floors defined before it, and its files may include only its own headers
# and those of the floors it stands ON: both are checked here, and a breach stops the configuration.

function(check_includes owner allowed)                    # the files follow in ARGN
  foreach(file ${ARGN})
    file(STRINGS ${file} lines REGEX "^#include [<\"](estafette|daemon)/")
    foreach(line ${lines})
      string(REGEX MATCH "[<\"](estafette|daemon)/([a-z]+)/" found "${line}")
      if(CMAKE_MATCH_1 STREQUAL "daemon")
        message(FATAL_ERROR "${file}: '${line}': a private header is included by its plain name, from its own folder only")
      endif()
      if(NOT CMAKE_MATCH_2 IN_LIST allowed)
        message(FATAL_ERROR "${file}: '${line}': ${owner} does not stand on '${CMAKE_MATCH_2}' (CMakeLists.txt, docs/architecture.md)")
      endif()
    endforeach()
  endforeach()
endfunction()

function(floor name)
  cmake_parse_arguments(F "" "" "ON;LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/daemon/${name}/*.cpp)
  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/daemon/${name}/*.hpp
                                      ${PROJECT_SOURCE_DIR}/include/estafette/${name}/*.hpp)
  check_includes("floor ${name}" "${name};${F_ON}" ${sources} ${headers})
  if(NOT sources)
    message(FATAL_ERROR "floor ${name}: daemon/${name} has no source file")
  endif()
  add_library(est_${name} STATIC ${sources})
  target_include_directories(est_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include)
  foreach(lower ${F_ON})
    if(NOT TARGET est_${lower})
      message(FATAL_ERROR "floor ${name}: ${lower} is not below it")
    endif()
    target_link_libraries(est_${name} PUBLIC est_${lower})
  endforeach()
  target_link_libraries(est_${name} PUBLIC ${F_LINK})
endfunction()

# program(NAME FOLDER ON floor… LINK library…): FOLDER/*.cpp as the program NAME, and as the
# library est_FOLDER_program (all but main.cpp) for its tests.
function(program name folder)
  cmake_parse_arguments(P "" "" "ON;LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
  list(REMOVE_ITEM sources ${PROJECT_SOURCE_DIR}/${folder}/main.cpp)
  set(library est_${folder}_program)
  add_library(${library} STATIC ${sources})
  target_include_directories(${library} PUBLIC ${PROJECT_SOURCE_DIR}/${folder})
  foreach(floor ${P_ON})
    target_link_libraries(${library} PUBLIC est_${floor})
  endforeach()
  target_link_libraries(${library} PUBLIC ${P_LINK})
  target_compile_definitions(${library} PUBLIC ESTAFETTE_VERSION="${PROJECT_VERSION}")
  add_executable(${name} ${PROJECT_SOURCE_DIR}/${folder}/main.cpp)
  target_link_libraries(${name} PRIVATE ${library})
  install(TARGETS ${name} RUNTIME)
endfunction()
