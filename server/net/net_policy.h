/* What every reply tells a browser, in one place. */
#ifndef SV_NET_POLICY_H
#define SV_NET_POLICY_H

/* For all: no guessing of types, no referrer to other sites, no frame, no other origin's page may load it or
 * hold on to its window, and none of the device's sensors but the camera, with which the app reads an
 * enrolment code. */
#define NET_POLICY_COMMON                                                                                    \
  "X-Content-Type-Options: nosniff\r\n"                                                                      \
  "Referrer-Policy: no-referrer\r\n"                                                                         \
  "Cross-Origin-Resource-Policy: same-origin\r\n"                                                            \
  "Cross-Origin-Opener-Policy: same-origin\r\n"                                                              \
  "Permissions-Policy: camera=(self), microphone=(), geolocation=(), payment=(), usb=(), serial=(), "        \
  "midi=(), display-capture=(), browsing-topics=()\r\n"

/* Whatever a body holds, a browser may only show it as what it is. */
#define NET_POLICY_DATA "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"

/* The web app. Scripts and styles only from its own files, none inline; connections only to this server
 * ('self' takes the websocket along); text becomes script nowhere (Trusted Types), except by the one policy
 * `overdracht`, which the app needs for the address of its own service worker. */
#define NET_POLICY_APP                                                                                       \
  "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: "  \
  "blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "    \
  "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types "           \
  "overdracht\r\n"

#endif
