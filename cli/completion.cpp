// estafette completion bash|zsh|fish: scripts made from the command tree itself, so that they cannot
// fall behind it.

#include "command.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace estafette::cli {

namespace {

struct option_entry {
    std::string name;     // "--from"
    std::string summary;  // one line
    std::vector<std::string> choices;
    bool takes_value = false;
    bool takes_file = false;
};

struct command_entry {
    std::string path;  // " route pause"; empty for the program itself
    std::string name, summary;
    std::vector<option_entry> options;
    std::vector<std::string> values;  // of its argument, where it is one of a few
    std::vector<command_entry> commands;
};

// "TEXT:{a,b}" → a, b
std::vector<std::string> choices_of(const std::string& type) {
    std::vector<std::string> out;
    const std::size_t open = type.find('{');
    const std::size_t close = type.find('}');
    if (open == std::string::npos || close == std::string::npos) {
        return out;
    }
    std::string one;
    for (const char c : type.substr(open + 1, close - open)) {
        if (c == ',' || c == '}') {
            out.push_back(std::move(one));
            one.clear();
        } else {
            one += c;
        }
    }
    return out;
}

std::vector<option_entry> options_of(const CLI::App& app) {
    std::vector<option_entry> out;
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            const std::string type = option->get_type_name();
            out.push_back(
                {"--" + name,
                 option->get_description(),
                 choices_of(type),
                 option->get_items_expected_max() > 0,
                 type == "FILE" || type == "PATH"}
            );
        }
    }
    return out;
}

command_entry entry_of(const CLI::App& app, const std::string& path) {
    command_entry out{path, app.get_name(), app.get_description(), options_of(app), {}, {}};
    for (const CLI::Option* option : app.get_options()) {
        if (option->get_positional()) {
            out.values = choices_of(option->get_type_name());
        }
    }
    for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) {
        out.commands.push_back(entry_of(*child, path + " " + child->get_name()));
    }
    return out;
}

template <class Visit> void for_each(const command_entry& at, const Visit& visit) {
    visit(at);
    for (const command_entry& child : at.commands) {
        for_each(child, visit);
    }
}

std::string in_quotes(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        out += c == '\'' ? std::string{"'\\''"} : std::string{c};
    }
    return out + "'";
}

std::string paths_of(const command_entry& root) {
    std::string out;
    for_each(root, [&](const command_entry& at) {
        if (!at.path.empty()) {
            out += (out.empty() ? "" : "|") + in_quotes(at.path);
        }
    });
    return out;
}

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) {
        out += (out.empty() ? "" : " ") + word;
    }
    return out;
}

std::string words_of(const command_entry& at, const command_entry& root) {
    std::string out = joined(at.values);
    for (const command_entry& child : at.commands) {
        out += (out.empty() ? "" : " ") + child.name;
    }
    for (const auto* options : {&at.options, &root.options}) {
        for (const option_entry& option : *options) {
            if (options == &at.options || &at != &root) {
                out += (out.empty() ? "" : " ") + option.name;
            }
        }
    }
    return out;
}

std::string values_of(const option_entry& option) {
    return option.takes_file ? "compgen -f -- \"$current\""
                             : "compgen -W " + in_quotes(joined(option.choices)) + " -- \"$current\"";
}

std::string bash_script(const command_entry& root) {
    std::string out = "# bash completion for estafette, made by `estafette completion bash`\n"
                      "_estafette() {\n"
                      "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
                      "    local path= word words=\n"
                      "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
                      "        case \"$path $word\" in\n"
                      "            " +
                      paths_of(root) +
                      ") path=\"$path $word\" ;;\n"
                      "        esac\n"
                      "    done\n"
                      "    case \"$path $before\" in\n";
    for_each(root, [&](const command_entry& at) {
        for (const option_entry& option : at.options) {
            if (option.takes_value) {
                const std::string pattern = at.path.empty() ? "*" + in_quotes(" " + option.name)
                                                            : in_quotes(at.path + " " + option.name);
                out += "        " + pattern + ") mapfile -t COMPREPLY < <(" + values_of(option) +
                       "); return ;;\n";
            }
        }
    });
    out += "    esac\n"
           "    case \"$path\" in\n";
    for_each(root, [&](const command_entry& at) {
        out += "        " + in_quotes(at.path) + ") words=" + in_quotes(words_of(at, root)) + " ;;\n";
    });
    out += "    esac\n"
           "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
           "}\n"
           "complete -o default -F _estafette estafette\n";
    return out;
}

// An entry of zsh's _describe: "name:summary", colons of the name escaped.
std::string described(const std::string& name, const std::string& summary) {
    return in_quotes(name + ":" + summary);
}

std::string zsh_script(const command_entry& root) {
    std::string out = "#compdef estafette\n"
                      "# zsh completion for estafette, made by `estafette completion zsh`\n"
                      "_estafette() {\n"
                      "    local at= word\n"
                      "    local -a commands options\n"
                      "    for word in ${words[2,CURRENT-1]}; do\n"
                      "        case \"$at $word\" in\n"
                      "            (" +
                      paths_of(root) +
                      ") at=\"$at $word\" ;;\n"
                      "        esac\n"
                      "    done\n"
                      "    case \"$at ${words[CURRENT-1]}\" in\n";
    for_each(root, [&](const command_entry& at) {
        for (const option_entry& option : at.options) {
            if (!option.takes_value) {
                continue;
            }
            std::string action = option.takes_file ? "_files" : "_message " + in_quotes(option.summary);
            if (!option.choices.empty()) {
                action = "compadd -- " + joined(option.choices);
            }
            const std::string pattern =
                at.path.empty() ? "*" + in_quotes(" " + option.name) : in_quotes(at.path + " " + option.name);
            out += "        (" + pattern + ") " + action + "; return ;;\n";
        }
    });
    out += "    esac\n"
           "    case \"$at\" in\n";
    for_each(root, [&](const command_entry& at) {
        out += "        (" + in_quotes(at.path) + ")\n            commands=(";
        for (const command_entry& child : at.commands) {
            out += " " + described(child.name, child.summary);
        }
        for (const std::string& value : at.values) {
            out += " " + in_quotes(value);
        }
        out += " )\n            options=(";
        for (const option_entry& option : at.options) {
            out += " " + described(option.name, option.summary);
        }
        out += " ) ;;\n";
    });
    out += "    esac\n"
           "    (( $#commands )) && _describe -t commands command commands\n"
           "    _describe -o -t options option options\n"
           "}\n"
           "_estafette \"$@\"\n";
    return out;
}

// The condition under which fish offers what belongs to a command.
std::string fish_condition(const command_entry& at) {
    if (at.path.empty()) {
        return "__fish_use_subcommand";
    }
    std::string out;
    std::size_t from = 1;
    while (from <= at.path.size()) {
        const std::size_t end = std::min(at.path.find(' ', from), at.path.size());
        out += (out.empty() ? "" : "; and ");
        out += "__fish_seen_subcommand_from " + at.path.substr(from, end - from);
        from = end + 1;
    }
    return out;
}

std::string fish_script(const command_entry& root) {
    std::string out = "# fish completion for estafette, made by `estafette completion fish`\n"
                      "complete -c estafette -f\n";
    for_each(root, [&](const command_entry& at) {
        const std::string condition = in_quotes(fish_condition(at));
        for (const command_entry& child : at.commands) {
            out += "complete -c estafette -n " + condition + " -a " + child.name + " -d " +
                   in_quotes(child.summary) + "\n";
        }
        if (!at.values.empty()) {
            out += "complete -c estafette -n " + condition + " -a " + in_quotes(joined(at.values)) + "\n";
        }
        for (const option_entry& option : at.options) {
            out += "complete -c estafette" + (at.path.empty() ? std::string{} : " -n " + condition) + " -l " +
                   option.name.substr(2);
            if (option.takes_file) {
                out += " -r -F";
            } else if (!option.choices.empty()) {
                out += " -x -a " + in_quotes(joined(option.choices));
            } else if (option.takes_value) {
                out += " -x";
            }
            out += " -d " + in_quotes(option.summary) + "\n";
        }
    });
    return out;
}

}  // namespace

void add_completion(CLI::App& app, invocation& call) {
    auto shell = std::make_shared<std::string>();
    CLI::App* command = app.add_subcommand("completion", "Print the completion script of a shell");
    command->footer("Example, for bash:\n"
                    "  estafette completion bash > ~/.local/share/bash-completion/completions/estafette");
    command->add_option("shell", *shell, "Your shell")
        ->type_name("SHELL")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    command->callback([&app, shell, &call] {
        call.action = [&app, shell, &call] {
            const command_entry root = entry_of(app, "");
            call.io.out
                << (*shell == "bash"  ? bash_script(root)
                    : *shell == "zsh" ? zsh_script(root)
                                      : fish_script(root));
            return 0;
        };
    });
}

}  // namespace estafette::cli
