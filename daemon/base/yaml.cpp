#include "estafette/base/yaml.hpp"

#include "estafette/base/text.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

namespace estafette::yaml {

namespace {

// Our own refusal from within yaml-cpp's callbacks, which have no other way out.
struct refusal {
    std::uint32_t line;
    std::uint32_t column;
    std::string what;
};

std::uint32_t from_one(int counted_from_zero) noexcept {
    return counted_from_zero < 0 ? 1 : static_cast<std::uint32_t>(counted_from_zero) + 1;
}

std::size_t count_nodes(const node& n) {
    std::size_t total = 1;
    for (const node& item : n.items())
        total += count_nodes(item);
    for (const member& m : n.members())
        total += count_nodes(m.value);
    return total;
}

std::string prefix(const std::string& file, std::uint32_t line) {
    return file + ':' + std::to_string(line) + ": ";
}

// yaml-cpp takes 0x04 for the end of the file and guesses other encodings from NULs: they never reach it.
std::optional<std::string>
find_bad_text(std::string_view text, const std::string& name, const limits& bounds) {
    if (text.size() > bounds.bytes)
        return prefix(name, 1) + "larger than " + format_size(bounds.bytes);
    std::uint32_t line = 1;
    for (std::size_t begin = 0; begin < text.size(); ++line) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string_view one = text.substr(begin, end - begin);
        if (!is_valid_utf8(one))
            return prefix(name, line) + sentence(errc::utf8_invalid);
        const bool has_control = std::any_of(one.begin(), one.end(), [](unsigned char c) {
            return (c < 0x20 && c != '\t' && c != '\r') || c == 0x7F;
        });
        if (has_control)
            return prefix(name, line) + sentence(errc::control_character);
        begin = end + 1;
    }
    return std::nullopt;
}

}  // namespace

// Builds our tree from yaml-cpp's events, so that limits hold while it reads.
class tree_builder final : public YAML::EventHandler {
public:
    tree_builder(const std::string& file, const limits& bounds)
        : file_{std::make_shared<const std::string>(file)}
        , bounds_{bounds} {
        root_.file_ = file_;
        root_.line_ = root_.column_ = 1;
    }

    [[nodiscard]] node take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (has_document_)
            refuse(mark, "only one document is allowed");
        has_document_ = true;
    }

    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        finish(make(mark, "", kind::null), anchor);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end())
            refuse(mark, "an alias within what it stands for");
        if (++aliases_ > bounds_.aliases)
            refuse(mark, "too many aliases");
        count(mark, count_nodes(found->second));
        node copy = found->second;
        finish(std::move(copy), 0);
    }

    void OnScalar(
        const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value
    ) override {
        node n = make(mark, tag, kind::scalar);
        n.is_quoted_ = tag == "!";
        n.scalar_ = value;
        finish(std::move(n), anchor);
    }

    void OnSequenceStart(
        const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value
    ) override {
        begin(make(mark, tag, kind::sequence), mark, anchor);
    }

    void OnSequenceEnd() override { end(); }

    void OnMapStart(
        const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value
    ) override {
        begin(make(mark, tag, kind::map), mark, anchor);
    }

    void OnMapEnd() override { end(); }

private:
    struct frame {
        node open;
        YAML::anchor_t anchor;
        std::optional<node> key;  // of a map: its value comes next
        std::unordered_set<std::string> keys;
    };

    [[noreturn]] static void refuse(const YAML::Mark& mark, std::string what) {
        throw refusal{from_one(mark.line), from_one(mark.column), std::move(what)};
    }

    [[noreturn]] static void refuse(const node& where, std::string what) {
        throw refusal{where.line_, where.column_, std::move(what)};
    }

    void count(const YAML::Mark& mark, std::size_t more) {
        nodes_ += more;
        if (nodes_ > bounds_.nodes)
            refuse(mark, "too many values");
    }

    node make(const YAML::Mark& mark, const std::string& tag, kind k) {
        if (!tag.empty() && tag != "?" && tag != "!")
            refuse(mark, "tags are not supported");
        count(mark, 1);
        node n;
        n.kind_ = k;
        n.file_ = file_;
        n.line_ = from_one(mark.line);
        n.column_ = from_one(mark.column);
        return n;
    }

    void begin(node n, const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (open_.size() >= bounds_.depth)
            refuse(mark, "nested too deeply");
        open_.push_back({std::move(n), anchor, std::nullopt, {}});
    }

    void end() {
        frame done = std::move(open_.back());
        open_.pop_back();
        finish(std::move(done.open), done.anchor);
    }

    void finish(node n, YAML::anchor_t anchor) {
        if (anchor != 0)
            anchors_.insert_or_assign(anchor, n);
        if (open_.empty()) {
            root_ = std::move(n);
            return;
        }
        frame& parent = open_.back();
        if (parent.open.is_sequence()) {
            parent.open.items_.push_back(std::move(n));
            return;
        }
        if (!parent.key) {
            take_key(parent, std::move(n));
            return;
        }
        if (n.is_null()) {  // yaml-cpp places "key:" without a value where the next token is
            n.line_ = parent.key->line_;
            n.column_ = parent.key->column_;
        }
        std::string key = parent.key->scalar_;
        parent.open.members_.push_back({std::move(key), std::move(*parent.key), std::move(n)});
        parent.key.reset();
    }

    static void take_key(frame& map, node key) {
        if (!key.is_scalar())
            refuse(key, "a key must be a plain word");
        if (!map.keys.insert(key.scalar_).second)
            refuse(key, "duplicate key " + printable(key.scalar_, 80));
        map.key = std::move(key);
    }

    std::shared_ptr<const std::string> file_;
    limits bounds_;
    node root_;
    std::vector<frame> open_;
    std::unordered_map<YAML::anchor_t, node> anchors_;
    std::size_t nodes_ = 0;
    std::size_t aliases_ = 0;
    bool has_document_ = false;
};

boost::system::result<node, std::string>
parse(std::string_view text, const std::string& name, const limits& bounds) {
    if (auto bad = find_bad_text(text, name, bounds))
        return *std::move(bad);
    tree_builder builder{name, bounds};
    try {
        std::istringstream in{std::string{text}};
        YAML::Parser reader{in};
        while (reader.HandleNextDocument(builder)) {
        }
    } catch (const refusal& r) {
        return prefix(name, r.line) + r.what;
    } catch (const YAML::Exception& e) {
        return prefix(name, from_one(e.mark.line)) + "not valid YAML at column " +
               std::to_string(from_one(e.mark.column)) + ": " + printable(e.msg, 200);
    }
    return builder.take();
}

const node* node::find(std::string_view key) const noexcept {
    const auto found =
        std::find_if(members_.begin(), members_.end(), [&](const member& m) { return m.key == key; });
    return found == members_.end() ? nullptr : &found->value;
}

const std::string& node::file() const noexcept {
    static const std::string none;
    return file_ ? *file_ : none;
}

node merged(const node& below, const node& above) {
    if (above.is_null() && below.is_map())
        return below;
    if (!below.is_map() || !above.is_map())
        return above;
    node out = below;
    for (const member& m : above.members()) {
        const auto same = std::find_if(out.members_.begin(), out.members_.end(), [&](const member& o) {
            return o.key == m.key;
        });
        if (same == out.members_.end())
            out.members_.push_back(m);
        else
            *same = {m.key, m.place, merged(same->value, m.value)};
    }
    return out;
}

std::optional<bool> to_bool(const node& n) noexcept {
    if (!n.is_scalar() || n.is_quoted())
        return std::nullopt;
    if (n.scalar() == "true")
        return true;
    if (n.scalar() == "false")
        return false;
    return std::nullopt;
}

namespace {

template <class Number> std::optional<Number> to_number(const node& n) noexcept {
    if (!n.is_scalar() || n.is_quoted())
        return std::nullopt;
    Number value{};
    const char* end = n.scalar().data() + n.scalar().size();
    const auto [stop, failed] = std::from_chars(n.scalar().data(), end, value);
    if (failed != std::errc{} || stop != end)
        return std::nullopt;
    return value;
}

}  // namespace

std::optional<std::uint64_t> to_unsigned(const node& n) noexcept {
    return to_number<std::uint64_t>(n);
}

std::optional<double> to_double(const node& n) noexcept {
    const auto value = to_number<double>(n);
    return value && std::isfinite(*value) ? value : std::nullopt;
}

void errors::add(const node& where, std::string_view path, std::string_view what) {
    std::string line = where.file().empty() ? std::string{} : prefix(where.file(), where.line());
    if (!path.empty())
        line.append(printable(path, 200)).append(": ");
    line += what;
    std::size_t at = lines_.size();
    for (std::size_t i = lines_.size(); i-- > 0;) {
        if (places_[i].file != where.file())
            continue;
        at = places_[i].line <= where.line() ? i + 1 : i;
        if (at == i + 1)
            break;
    }
    insert(at, {where.file(), where.line()}, std::move(line));
}

void errors::add(std::string line) {
    insert(lines_.size(), {}, std::move(line));
}

void errors::insert(std::size_t at, place where, std::string line) {
    static constexpr std::size_t most = 100;
    if (lines_.size() >= most || std::find(lines_.begin(), lines_.end(), line) != lines_.end())
        return;
    const auto offset = static_cast<std::ptrdiff_t>(at);
    lines_.insert(lines_.begin() + offset, std::move(line));
    places_.insert(places_.begin() + offset, std::move(where));
}

void errors::add_unknown_keys(
    const node& map, std::string_view path, std::span<const std::string_view> known
) {
    for (const member& m : map.members()) {
        if (std::find(known.begin(), known.end(), m.key) != known.end())
            continue;
        std::string what = "unknown key " + printable(join(path, m.key), 200);
        const std::string_view near = nearest(m.key, known.data(), known.size());
        if (!near.empty())
            what += "; nearest: " + join(path, near);
        add(m.place, "", what);
    }
}

std::string join(std::string_view path, std::string_view key) {
    std::string out{path};
    if (!out.empty())
        out += '.';
    out += key;
    return out;
}

}  // namespace estafette::yaml
