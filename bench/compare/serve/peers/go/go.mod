module headwaters/bench/serve/peer

go 1.19
