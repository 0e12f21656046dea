import { namesCaller } from '../upstream/call/callers-limit.ts'

/** Ends of parameter names that hold a credential, in lower case: `accessToken`, `AWSAccessKeyId`. */
const secretEndings = ['token', 'secret', 'password', 'passwd', 'key', 'keyid', 'signature', 'sig', 'credential']

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
  return end !== -1 && isSecret(pair.slice(0, end).toLowerCase()) ? `${pair.slice(0, end)}=REDACTED` : pair
}

function isSecret(name: string): boolean {
  return namesCaller(name) || secretEndings.some(ending => name.endsWith(ending))
}
