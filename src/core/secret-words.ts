/**
 * Words in names of query parameters and fields that hold a credential, in lower case. They are whole parts of a name:
 * `filter[pwd]`, `db_pass`, `otp-code`.
 */
export const secretWords: readonly string[] = [
  'token',
  'secret',
  'password',
  'passwd',
  'passphrase',
  'pwd',
  'pass',
  'otp',
  'totp',
  'bearer',
  'apikey',
  'key',
  'assertion',
  'credential',
  'credentials',
  'sig',
  'signature',
]
