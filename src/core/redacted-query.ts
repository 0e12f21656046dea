import { namesCaller } from './names-caller.ts'
import { secretWords } from './secret-words.ts'

/** Names of headers and fields that hold a credential or a personal secret, in addition to the secret words. */
const credentialWords = [
  'authorization',
  'auth',
  'cookie',
  'jwt',
  'dpop',
  'session',
  'sid',
  'pin',
  'ssn',
  // The secret of PKCE: code_verifier.
  'verifier',
]

const words: ReadonlySet<string> = new Set([...secretWords, ...credentialWords])

/** Ends of words that hold a credential: `accesstoken`, `awsaccesskeyid`. Shorter words end other words: `compass`. */
const secretEndings = [
  'token',
  'secret',
  'password',
  'passwd',
  'key',
  'keyid',
  'signature',
  'credential',
  'sessid',
  'sessionid',
]

/** Returns whether the value of a parameter with this name is hidden. */
export type Hides = (name: string) => boolean

/**
 * Returns a URL whose query has no credentials: the value of each parameter that is named as a credential or an
 * identity is replaced by `REDACTED`, the word of OpenTelemetry's conventions for `url.full`. So is the value of `code`
 * beside `state`, as OAuth sends them. Credentials that Headwaters itself adds are not in the URL here.
 *
 * @param hides - The choice of the values that are hidden. @default namesSecret
 */
export function redactedQuery(url: string, hides: Hides = namesSecret): string {
  const start = url.indexOf('?')
  if (start === -1) return url
  const pairs = url.slice(start + 1).split('&')
  const names = pairs.map(nameOf)
  const isGrant = names.includes('state')
  const shown = pairs.map((pair, at) => {
    const name = names[at]
    if (name === undefined || !(hides(name) || (isGrant && name === 'code'))) return pair
    return `${pair.slice(0, pair.indexOf('='))}=REDACTED`
  })
  return `${url.slice(0, start)}?${shown.join('&')}`
}

/** Returns the name of a parameter; undefined for one without a value. */
function nameOf(pair: string): string | undefined {
  const end = pair.indexOf('=')
  if (end === -1) return undefined
  const [name = ''] = new URLSearchParams(pair.slice(0, end)).keys()
  return name
}

/** Returns whether a name, such as `filter[accessToken]`, has a part that names a credential or an identity. */
export function namesSecret(name: string): boolean {
  return namesCaller(partsOf(name).join('-')) || namesCredential(name)
}

/** Returns whether a name has a part that names a credential. The name of an identity, such as `user`, has none. */
export function namesCredential(name: string): boolean {
  return partsOf(name).some(part => words.has(part) || secretEndings.some(ending => part.endsWith(ending)))
}

/** Returns the words of a name, in lower case and in the singular. */
function partsOf(name: string): string[] {
  return name
    .replaceAll(/[a-z](?=[A-Z])/g, '$&-')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter(part => part !== '')
    .map(singular)
}

function singular(word: string): string {
  if (word.endsWith('sses')) return word.slice(0, -2)
  return word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word
}
