import { namesCaller } from './names-caller.ts'
import { secretWords } from './secret-words.ts'

/** Names of headers and fields that hold a credential, in addition to the secret words. */
const credentialWords = ['authorization', 'auth', 'cookie', 'jwt', 'dpop', 'session', 'sid']

const words: ReadonlySet<string> = new Set([...secretWords, ...credentialWords])

/** Ends of words that hold a credential: `accesstoken`, `awsaccesskeyid`. Shorter words end other words: `compass`. */
const secretEndings = ['token', 'secret', 'password', 'passwd', 'key', 'keyid', 'signature', 'credential']

/**
 * Returns a URL whose query has no credentials: the value of each parameter that is named as a credential or an
 * identity is replaced by `REDACTED`, the word of OpenTelemetry's conventions for `url.full`. Credentials that
 * Headwaters itself adds are not in the URL here.
 */
export function redactedQuery(url: string): string {
  const start = url.indexOf('?')
  if (start === -1) return url
  const pairs = url.slice(start + 1).split('&')
  return `${url.slice(0, start)}?${pairs.map(redactedPair).join('&')}`
}

function redactedPair(pair: string): string {
  const end = pair.indexOf('=')
  if (end === -1) return pair
  const [name = ''] = new URLSearchParams(pair.slice(0, end)).keys()
  return namesSecret(name) ? `${pair.slice(0, end)}=REDACTED` : pair
}

/** Returns whether a name, such as `filter[accessToken]`, has a part that names a credential or an identity. */
export function namesSecret(name: string): boolean {
  return namesCaller(partsOf(name).join('-')) || namesCredential(name)
}

/** Returns whether a name has a part that names a credential. The name of an identity, such as `user`, has none. */
export function namesCredential(name: string): boolean {
  return partsOf(name).some(part => words.has(part) || secretEndings.some(ending => part.endsWith(ending)))
}

/** Returns the words of a name, in lower case. */
function partsOf(name: string): string[] {
  return name
    .replaceAll(/[a-z](?=[A-Z])/g, '$&-')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter(part => part !== '')
}
