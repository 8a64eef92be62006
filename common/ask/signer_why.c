/* signer_why.c - the words, the same in both kinds of build. */
#include "ask/signer.h"

const char *
signer_why(enum sign_status s)
{
	switch (s) {
	case SIGN_DONE:
		return "signed";
	case SIGN_REFUSED:
		return "the vault refused to sign";
	case SIGN_NO_KEY:
		return "the vault has no such key for us";
	default:
		return "the vault does not answer";
	}
}
