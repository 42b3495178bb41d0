/* Must be found out: without an argument, bytes that nobody wrote go into a digest. With one they are written
 * first, and all is well. That a digest's own bytes may be read shows that the seam speaks for the
 * library. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  unsigned char in[32], out[EVP_MAX_MD_SIZE];
  unsigned n = 0;
  (void)argv;
  if (argc > 1) memset(in, 1, sizeof in);
  EVP_MD_CTX *c = EVP_MD_CTX_new();
  if (!c || EVP_DigestInit_ex(c, EVP_sha256(), NULL) != 1 || EVP_DigestUpdate(c, in, sizeof in) != 1 ||
      EVP_DigestFinal_ex(c, out, &n) != 1)
    return 2;
  EVP_MD_CTX_free(c);
  if (out[0] > 127) puts("a read digest");
  return n == 32 ? 0 : 3;
}
