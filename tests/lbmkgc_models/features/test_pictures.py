from lbmkgc_models.features.pictures import LONGEST, folder_name


def test_folder_names_are_safe_distinct_and_plain_where_they_can_be():
    assert folder_name("New York (city)") == "New York (city)"
    names = ["http://dbpedia.org/resource/A", "a/b", "a%2Fb", "..", ".", "a" * 500, "a" * 501]
    folders = [folder_name(name) for name in names]
    assert len(set(folders)) == len(names)
    for folder in folders:
        assert "/" not in folder
        assert "\\" not in folder
        assert not folder.startswith(".")
        assert not folder.endswith(".")
        assert len(folder.encode()) <= LONGEST
