/* See .ci/wine. */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T len) {
  while (len > 0) {
    ULONG part = len > 0x10000000 ? 0x10000000 : (ULONG)len;
    if (!RtlGenRandom(bytes, part)) {
      return FALSE;
    }
    bytes += part;
    len -= part;
  }
  return TRUE;
}
