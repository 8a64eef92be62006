/*
 * rmail - what UUCP calls to hand mail on: `rmail ADDRESS ...', with a message
 * whose first line is "From SENDER DATE", or ">From", perhaps several.
 */
#ifndef CTL_SENDMAIL_RMAIL_H
#define CTL_SENDMAIL_RMAIL_H

/*
 * Called by that name, turn the arguments into those of sendmail(1): -i, and -f
 * with the sender that the first lines on standard input tell, which are read.
 * Exits where they tell none.
 */
void	rmail_args(int *argc, char ***argv);

#endif
