// A folder that a test may fill; gone with the object.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace estafette::test {

class temporary_folder {
public:
    temporary_folder()
        : temporary_folder{std::filesystem::temp_directory_path()} {}

    explicit temporary_folder(const std::filesystem::path& parent) {
        std::string name = (parent / "estafette-store-XXXXXX").string();
        if (!::mkdtemp(name.data())) {
            std::abort();
        }
        path_ = name;
    }

    ~temporary_folder() { std::filesystem::remove_all(path_); }

    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;

    [[nodiscard]] std::string path(const std::string& name = {}) const {
        return name.empty() ? path_ : path_ + "/" + name;
    }

private:
    std::string path_;
};

}  // namespace estafette::test
