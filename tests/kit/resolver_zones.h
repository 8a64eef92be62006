/*
 * test_resolver_zones - two small zones for a name server of the tests' own.
 *
 * signed.example was signed with a throw-away key (ECDSA P-256) until 2060,
 * and the address of forged.signed.example changed after that.
 */
#ifndef TESTS_RESOLVER_ZONES_H
#define TESTS_RESOLVER_ZONES_H

#define SIGNED_ANCHOR							\
	"signed.example. IN DS 63187 13 2 "				\
	"30a1491c8368f304815678b60f645eabad993d3ac36d8be0787cf082ddec1502"

static const char plain_zone[] =
    "$ORIGIN plain.example.\n"
    "$TTL 300\n"
    "@ IN SOA ns hostmaster 1 3600 900 604800 300\n"
    "@ IN NS ns\n"
    "ns IN A 127.0.0.1\n"
    "mx 90 IN A 192.0.2.1\n"
    "mx 90 IN A 192.0.2.2\n"
    "mx 90 IN AAAA 2001:db8::1\n"
    "four IN A 192.0.2.4\n"
    "alias IN CNAME mx\n"
    "@ IN MX 10 mx\n"
    "@ IN MX 20 four\n";

static const char signed_zone[] =
    "signed.example. 600 IN SOA ns.signed.example. hostmaster.signed.example."
    " 1 3600 900 604800 77\n"
    "signed.example. 600 IN RRSIG SOA 13 2 600 20600101000000 20200101000000 "
    "63187 signed.example. H0D607yy1QdLctOAMzsjIeGJEJ5U41hBoYEINR6lINHYMKqIT/"
    "c95j1wG8+r1gzSgkU9Ffd/CU34sq1f2Ht++A==\n"
    "signed.example. 600 IN NS ns.signed.example.\n"
    "signed.example. 600 IN RRSIG NS 13 2 600 20600101000000 20200101000000 6"
    "3187 signed.example. Ex93tZ4wyGcpo9+ZeGPeH94N0vL5Whs/P7XPcjIEyJkFJUFRi+U"
    "pQyBJq6WTOoBecaYdt/hpelJwRn1YxVVReA==\n"
    "signed.example. 120 IN MX 10 mx.signed.example.\n"
    "signed.example. 120 IN RRSIG MX 13 2 120 20600101000000 20200101000000 6"
    "3187 signed.example. 3bVAimOuBdVhl/9QZ0B9evGkNYLGucNfBo0vRSL7y5PCbGj5pz2"
    "pUM8FEkJnlj97lF5D9qY4NleiZjPcbh/dNg==\n"
    "signed.example. 600 IN DNSKEY 257 3 13 W1536NZ/L8sEcB9FIGYE7a08UpJvnry2z"
    "iwhje57yhvcDrFf4q2fnZ8wbNLjKSFFS5SyK4Lo+C+tqOzTKTOfAQ==\n"
    "signed.example. 600 IN RRSIG DNSKEY 13 2 600 20600101000000 202001010000"
    "00 63187 signed.example. E4gmklbSagRXY7ZWkz688crHsUN0yYD1bz+Y/Hm+7HDpKnt"
    "2O9aBByrUo6lclF29Zxhlb30AO4X5I0xw+54IAw==\n"
    "signed.example. 77 IN NSEC forged.signed.example. NS SOA MX RRSIG NSEC D"
    "NSKEY\n"
    "signed.example. 77 IN RRSIG NSEC 13 2 77 20600101000000 20200101000000 6"
    "3187 signed.example. b2fslKoI1LRxMp/GD5xnWw0f9gaxCi32/2dGAPKgHyynjja7or3"
    "LkGvmQjsTIJJmcFenvSMWKIKOx20nMuP7kQ==\n"
    "forged.signed.example. 600 IN A 192.0.2.67\n"
    "forged.signed.example. 600 IN RRSIG A 13 3 600 20600101000000 2020010100"
    "0000 63187 signed.example. gQh+ZS+FIhmeGl/hErHbcWllrHFWbcDfLaDMPLmHIgost"
    "DQPgmBRm7xXnnaLXbkvQuHNRyurB/1D9yYdGmnyhQ==\n"
    "forged.signed.example. 77 IN NSEC mx.signed.example. A RRSIG NSEC\n"
    "forged.signed.example. 77 IN RRSIG NSEC 13 3 77 20600101000000 202001010"
    "00000 63187 signed.example. OioC6WyJ5zwZ87tBhop6Zbo9/F79f0OQBgJTxC8pP5fz"
    "miDXLD0z3IbjWOweKiuFComxjErqYl9x8TbZmyDxSg==\n"
    "mx.signed.example. 600 IN A 192.0.2.25\n"
    "mx.signed.example. 600 IN RRSIG A 13 3 600 20600101000000 20200101000000"
    " 63187 signed.example. YhJTLrJ4rEL5cPr7nHLDlfa/HrM7fQRyCbVFF1cawvbIyhIYX"
    "G+oqUqFYFKoz+iEMWiJnyY81SJjGK0b3/uwNA==\n"
    "mx.signed.example. 600 IN AAAA 2001:db8::25\n"
    "mx.signed.example. 600 IN RRSIG AAAA 13 3 600 20600101000000 20200101000"
    "000 63187 signed.example. FB5FzNVlqZidrddKuqI73LD8dvqBs1+8CtNl9mAjHlpmIa"
    "0VT3Qm/SxYPtxtx21YdDL8/jaDHBjfcQTfX1+Lgg==\n"
    "mx.signed.example. 77 IN NSEC _25._tcp.mx.signed.example. A AAAA RRSIG N"
    "SEC\n"
    "mx.signed.example. 77 IN RRSIG NSEC 13 3 77 20600101000000 2020010100000"
    "0 63187 signed.example. y6FYNJB0PdsV+SYWF35BDimaz71Tnh5DphOUf8lF7pDPWzFd"
    "j43fCvi4QAaMLKwVVWHB7BCMicQY8iVwFYSKPw==\n"
    "_25._tcp.mx.signed.example. 600 IN TLSA 3 1 1 0123456789abcdef0123456789"
    "abcdef0123456789abcdef0123456789abcdef\n"
    "_25._tcp.mx.signed.example. 600 IN RRSIG TLSA 13 5 600 20600101000000 20"
    "200101000000 63187 signed.example. YVgkl+ff1h3oD0NZLh7hBmlkr3xX6saljA8pt"
    "FZFgkK8Q0r2x4YjFu2J1UOZJkoRhCYB9Bi42evBLgrX6HxIRg==\n"
    "_25._tcp.mx.signed.example. 77 IN NSEC ns.signed.example. RRSIG NSEC TLS"
    "A\n"
    "_25._tcp.mx.signed.example. 77 IN RRSIG NSEC 13 5 77 20600101000000 2020"
    "0101000000 63187 signed.example. z3wDRiEWnPtOH4DVQXTkWnuNpzHwAQWLqBX0wvP"
    "jPvmhedG+XChB9tBLCZMW11by/NFKFSiUlfTwo87OGi+0Bw==\n"
    "ns.signed.example. 600 IN A 127.0.0.1\n"
    "ns.signed.example. 600 IN RRSIG A 13 3 600 20600101000000 20200101000000"
    " 63187 signed.example. x8k2NoVOU4kwnUYntXEooCyFY5WIUqfkfDHDBzT0Crn90bDxD"
    "mBwGHdbwQz6h2NwsrdUr6hvLxhcLv6p8a/AyQ==\n"
    "ns.signed.example. 77 IN NSEC signed.example. A RRSIG NSEC\n"
    "ns.signed.example. 77 IN RRSIG NSEC 13 3 77 20600101000000 2020010100000"
    "0 63187 signed.example. YBFtsg4DDYGm22QFnfS/iiMu1CSktAC2ZaPrHYJbpEc/sMys"
    "KrGO05HsDBJZwqL8js5uIGqwPmChPEnyzL6y1A==\n";

#endif
