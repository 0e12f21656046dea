import { BlockList, isIP } from 'node:net'
import type { z } from 'zod'
import { keyFault } from '../core/bearer-key.ts'

/** Returns the entries of a comma-separated list. */
function entriesOf(list: string): string[] {
  return list
    .split(',')
    .map(entry => entry.trim())
    .filter(entry => entry !== '')
}

/** Reads the API keys. A fault names a key by its position, so that no message shows a key. */
export function readKeys(list: string, context: z.RefinementCtx): readonly string[] {
  const keys = entriesOf(list)
  // A template with secrets that are not set results in a list of commas. Without this error, the service would start
  // without authentication.
  if (keys.length === 0 && list.trim() !== '')
    context.addIssue('contains no key: set at least one key, or remove the variable to require none')
  for (const [index, key] of keys.entries()) {
    const fault = keyFault(key)
    if (fault !== undefined) context.addIssue(`key ${index + 1} ${fault}`)
  }
  return Object.freeze(keys)
}

/** Reads the origins of browsers, or `*`. */
export function readCorsOrigins(list: string, context: z.RefinementCtx): readonly string[] {
  const origins = entriesOf(list)
  if (origins.length === 0 && list.trim() !== '')
    context.addIssue('contains no origin: set at least one origin, or remove the variable')
  for (const origin of origins) {
    if (origin !== '*' && (origin.includes('*') || URL.parse(origin)?.origin !== origin))
      context.addIssue(
        `'${origin}' is not an origin as browsers send it: set scheme, host and ` +
          'port, for example https://app.example, or * alone',
      )
  }
  if (origins.length > 1 && origins.includes('*'))
    context.addIssue('* allows every origin: remove the other entries, or remove *')
  return Object.freeze(origins)
}

/** Reads `true`, `false`, or the addresses and networks of the proxies. */
export function readTrustProxy(value: string, context: z.RefinementCtx): boolean | readonly string[] {
  const text = value.trim()
  if (text === 'true' || text === 'false') return text === 'true'
  const networks = entriesOf(text)
  for (const network of networks)
    if (!isNetwork(network))
      context.addIssue(`must be true, false, or a list of addresses and networks such as 10.0.0.0/8, got '${network}'`)
  return Object.freeze(networks)
}

function isNetwork(text: string): boolean {
  const [address = '', bits] = text.split('/')
  if (bits === undefined || isIP(address) === 0) return isIP(text) !== 0
  try {
    new BlockList().addSubnet(
      address,
      /^\d{1,3}$/.test(bits) ? Number(bits) : -1,
      isIP(address) === 6 ? 'ipv6' : 'ipv4',
    )
    return true
  } catch {
    return false
  }
}
