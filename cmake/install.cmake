# install(): everything that `cmake --install build/release --prefix /usr` puts on a machine. The
# configuration is installed once and never written over; nothing takes the name /usr/sbin/sendmail
# (docs/sendmail.md says how to give it).

include(GNUInstallDirs)

set(made ${CMAKE_CURRENT_BINARY_DIR}/installed)
file(MAKE_DIRECTORY ${made})

# The units name the program where it will be, which only `cmake --install --prefix` says.
foreach(unit estafetted.service estafetted.socket)
  install(CODE "
    file(READ ${PROJECT_SOURCE_DIR}/systemd/${unit} text)
    string(REPLACE \"ExecStart=/usr/bin/\" \"ExecStart=\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/\" text \"\${text}\")
    file(WRITE ${made}/${unit} \"\${text}\")
    file(INSTALL ${made}/${unit} DESTINATION \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/system\")")
endforeach()
install(FILES systemd/estafette.catalog DESTINATION lib/systemd/catalog)
install(FILES systemd/estafette.sysusers.conf DESTINATION lib/sysusers.d RENAME estafette.conf)

# Callers of sendmail are pointed here: lib/estafette/sendmail, mailq, newaliases.
install(CODE "
  foreach(name sendmail mailq newaliases)
    set(folder \$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/lib/estafette)
    file(MAKE_DIRECTORY \${folder})
    file(CREATE_LINK ../../${CMAKE_INSTALL_BINDIR}/estafette \${folder}/\${name} SYMBOLIC)
  endforeach()")

# Rules, reasons and profiles are compiled in; these copies are for reading.
install(DIRECTORY conf/ DESTINATION share/estafette)

# The programs look in /etc; an installation into a folder of somebody's own leaves that alone.
install(CODE "
  set(etc /etc)
  if(NOT CMAKE_INSTALL_PREFIX MATCHES \"^/usr(/local)?/*$\")
    set(etc \${CMAKE_INSTALL_PREFIX}/etc)
  endif()
  if(NOT EXISTS \$ENV{DESTDIR}\${etc}/estafette/estafette.yaml)
    file(INSTALL ${PROJECT_SOURCE_DIR}/conf/estafette.yaml DESTINATION \"\${etc}/estafette\")
  endif()")

install(FILES LICENSE README.md CHANGELOG.md DESTINATION share/doc/estafette)
install(DIRECTORY docs/ DESTINATION share/doc/estafette PATTERN man EXCLUDE)

# Manual pages from docs/man/*.scd.
find_program(SCDOC scdoc)
if(SCDOC)
  set(pages)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/man/*.scd)
  foreach(source ${sources})
    get_filename_component(page ${source} NAME_WLE)                      # estafette.1.scd → estafette.1
    string(REGEX REPLACE ".*\\." "" section ${page})
    add_custom_command(
      OUTPUT ${made}/${page}
      COMMAND sh -c "'${SCDOC}' < '${source}' > '${made}/${page}'"
      DEPENDS ${source} VERBATIM)
    list(APPEND pages ${made}/${page})
    install(FILES ${made}/${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
  endforeach()
  add_custom_target(man ALL DEPENDS ${pages})
else()
  message(STATUS "scdoc is not installed: no manual pages")
endif()

# Completion scripts, by the program itself.
set(scripts)
foreach(entry "bash|estafette|bash-completion/completions" "zsh|_estafette|zsh/site-functions"
              "fish|estafette.fish|fish/vendor_completions.d")
  string(REPLACE "|" ";" entry ${entry})
  list(GET entry 0 shell)
  list(GET entry 1 name)
  list(GET entry 2 folder)
  set(script ${made}/completion-${shell})
  add_custom_command(
    OUTPUT ${script}
    COMMAND sh -c "'$<TARGET_FILE:estafette>' completion ${shell} > '${script}'"
    DEPENDS estafette VERBATIM)
  list(APPEND scripts ${script})
  install(FILES ${script} DESTINATION share/${folder} RENAME ${name})
endforeach()
add_custom_target(completion ALL DEPENDS ${scripts})
