module headwaters/bench/peer

go 1.19
