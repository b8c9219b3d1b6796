// What became of one recipient, in words: shared by the commands that end with it.
#pragma once

#include "console.hpp"

#include "estafette/verdict/catalogue.hpp"

#include <boost/json/value.hpp>

#include <string>

namespace estafette::cli {

// As --lang says, else $LC_ALL, $LC_MESSAGES, $LANG.
[[nodiscard]] verdict::language reader_language(const std::string& lang, const console& io);

// `recipient` as GET /v1/messages/{id}?lang=… shows it.
void print_recipient(const boost::json::value& recipient, verdict::language l, console& io);

}  // namespace estafette::cli
