#pragma once

// Makes a call of this process fail that changes the disk below a folder; see fault.c.
//
//   at      which one, counted from here
//   code    the errno it fails with
//   sticky  whether every later one does, too, but for those that need no space when there is none
void fault_arm(const char *folder, long at, int code, int sticky);

// Ends that. Returns how many calls there were.
long fault_disarm(const char *folder);
