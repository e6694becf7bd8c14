"""Checksums of OpenKE's benchmark sets: SHA-256 of each file of its ``benchmarks`` folder.

Two large files have the id Git knows their content by instead, ``git:`` and SHA-1.
"""

OPENKE_SETS: dict[str, dict[str, str]] = {
    "FB13": {
        "entity2id.txt": "84e7b9907bebf3c8272214bd14691d49fa24fa635b50d1f983620d3a74c90fef",
        "relation2id.txt": "96b8f1a02d149bbf6784d6d23e5ff60a9b8f527250e6dc0a2c8572574659b01a",
        "train2id.txt": "41a6064615aee4da5940dace314a3c7c7410471cfce636165e52fa104ae8f50c",
        "valid2id.txt": "d4510b25be5d84f93803d92251b46c989f6907053a1dc51d3bf478bc5a405a67",
        "test2id.txt": "34d98f98a8875a27667db837a4fe5fcfbb5e0f7265fa42f09bf491a03be96518",
        "type_constrain.txt": "6c5c8f97829d5452cb101a72b21b6b9b20e2d96f49035f74cb4d637fd5718e48",
    },
    "FB15K": {
        "entity2id.txt": "41c4cd91e81351d7e90a2e21a8ed69522b2296c57971ba6dab2677e8436e3285",
        "relation2id.txt": "00d3bf88fe86537279117d499a3cbd492932f58f51fbb3abda8f3786b87e63b0",
        "train2id.txt": "git:fee595345801c84e5399d3e521e6f218f0eaa6e5",
        "valid2id.txt": "9c628f1e18240a183a2e93e9019721ddd0c8129e93bbdfafe905a737b0cbefb8",
        "test2id.txt": "2a23d06e5f9b801154456c8a7d972a92f40185abc3311a420284f103b02f211b",
        "type_constrain.txt": "2657d86529ffb14de45f383e3fb1038e7356c42fb08ff0b77d9f704c2db44406",
    },
    "FB15K237": {
        "entity2id.txt": "e4546cfdcd0b9bd0151cc0f6ef2edee29eb2bb55a3d47e668194999c036fba0d",
        "relation2id.txt": "fefd26d6cd5ff9d360efe5360c11bf112d019f42b3acf165a5c04aa2b66a42d9",
        "train2id.txt": "5f44223a02b39b8e398e77a787feb4f06e9ffccf1ae87047bbf38fcc8cc08bd2",
        "valid2id.txt": "7d21e778de4369d5348f5cff23a08dc847ab5fce4b5f07c80113297d2dc60a86",
        "test2id.txt": "6027e649c1716ac9c1ef2f24672a416aa277aff3e14850ef915ac5a21df70417",
        "type_constrain.txt": "84aa5f35c0dd51e7f5928778e14462c5a0f31db5d9cbf4e722a4da7e2c438249",
    },
    "NELL-995": {
        "entity2id.txt": "d4676c3efc7fd79c3d90bd4168c3f49493f96656afe1030a38fda5ba3f276df0",
        "relation2id.txt": "7acb7297c45d8e9721c3667a75e9ac47d687aa660d9ab6dc46490397d651c126",
        "train2id.txt": "db5a0d78d1871be461fa54ddd2df20b00122950689a787f9fe88477869b59b0d",
        "valid2id.txt": "c5a037af8b2de6f449ddffce0fc41ae5d7d1e221607a7c1e52ae4082a417db29",
        "test2id.txt": "e1f320710c74d3c166d5732066d44378f9d48ce0cd115c66d36681f09553f7dd",
        "type_constrain.txt": "0fe0d503e2a03e2e56ca912d441b73d858d6074c5b325176974c950695ce1335",
    },
    "WN11": {
        "entity2id.txt": "369b9426d7fba12f95cc1ecc043ebc24bbc27a436b52b8507f09c15694a03ad8",
        "relation2id.txt": "9ad07f510971999cfe060069d4253661ec213022b27aafd7fa37fe15d3fbbf7c",
        "train2id.txt": "18d737d6c5f34c9dfcb300e8f8621ebf06852cde38d3191d48b8ba10e5f2f540",
        "valid2id.txt": "bb8e8bd0180bd85402ca91d696c6c5ecbc878b322b92fb1531ef8243e90aa1b5",
        "test2id.txt": "3e1d04c9e423c2d5119176dbc92b7ebf91eb44dcee30092c46c4495b4ca324a5",
        "type_constrain.txt": "73c6d762175565124bc6a9d945d744b64a05dc1134b56a4eb797f299ae78d62a",
    },
    "WN18": {
        "entity2id.txt": "a0e127ef59529a4662dbf5f12b1278efbcab9d4636eb80e5828a75311ebbb427",
        "relation2id.txt": "b0f326f55f4c4ca403e97e97c495e93627bea3fb8f08b9592afd31ef5bcf9752",
        "train2id.txt": "1bcaff005ba0a5cdd9f9f9982812ac9a0750a84989b4335a50e4c93e13d158c0",
        "valid2id.txt": "86cf1437161c5982b9a9ef26d5f8400161a700aa4b3350a6c347d508369a9cc6",
        "test2id.txt": "ab06e417090ba904b98796d72fa72c3a5d00241639a849859b2b458074e16ba6",
        "type_constrain.txt": "b548423bbb5ec2008773806a8de1cc3f25b9171bda11e9b538d4e6e055fc527b",
    },
    "WN18RR": {
        "entity2id.txt": "f527c42d07034357ab44f358c645a5da539f62010931c9a06129c88b3b5f8b87",
        "relation2id.txt": "72d6dc150ac943c07d1b4fd00fb1cf4baa9d5d3fea3064da5ab2a44497299988",
        "train2id.txt": "5bc06b8ff99cc6792a4fb455371de3b2ea7d5564d4da8e8ea34cdc81d70fd013",
        "valid2id.txt": "5cf2dc67befb085ff06677440845bac6f12b20238d2bd49eb5b158c30d718725",
        "test2id.txt": "3a0017f54a2c375922e44433e4ffe65a88b633efaf7aa6cf570c02648c60c38d",
        "type_constrain.txt": "deff64425c284bd8fd00ce6d4c177e17efbefd35f95a9719dee45573e7f23baf",
    },
    "YAGO3-10": {
        "entity2id.txt": "56e510b4539a003daaf458f9b06905f9389a9483ddb5c97a9e1b9565ce589d25",
        "relation2id.txt": "c722627dd061ffa880160902ea40a4fced6049a517b42628ee52a5880146d2cd",
        "train2id.txt": "git:6ddf57b4c3ccc652a2e4c191a0e498449d43faf9",
        "valid2id.txt": "cd34e5662e0b8a2583604a6c9261da586897c1cce287790a4c5aedbcde2d74bc",
        "test2id.txt": "e5041f6eef668a46b101ab33c1afe41c39c42e14b363fa9e694ebb02aed2b994",
        "type_constrain.txt": "d5735de70560c8d32f26cd12d09eabd0a9172204755b6d694cbe065e39f540f1",
    },
}
