import { hash } from 'node:crypto'
import { wholeNumber } from '../../core/bounds.ts'
import { rejectUnknownOptions, type OptionKeys } from '../../core/option-keys.ts'
import { checkBoolean, checkTextOption } from '../../core/option-values.ts'
import { literalAddress } from '../../core/public-address.ts'
import type { OriginOptions } from './origin-options.ts'
import { basePath, originFault, originText } from './origin.ts'

/** One entry of `origins` with all defaults. */
export interface OriginSpec {
  /** The text of the origin, with its base path. */
  readonly origin: string
  readonly weight: number
  readonly addresses: boolean
  readonly srv: string | undefined
}

/** The origin of an upstream for keys and names, and the origins among which an attempt has one. */
export interface UpstreamOrigins {
  /**
   * The only URL of the upstream. For several URLs, `SCHEME://NAME.invalid` with the base path, or in an override
   * `SCHEME://NAME.HASH.invalid` with a hash of the list. DNS never resolves these names (RFC 2606).
   */
  readonly origin: string
  /** @default `origin` is the only one */
  readonly origins: readonly OriginSpec[] | undefined
}

const originOptions: OptionKeys<OriginOptions> = { origin: true, weight: true, addresses: true, srv: true }

const maxOrigins = 64
const maxWeight = 1000
const example = "'https://users.example'"

const serviceName = /^_[a-z0-9-]{1,32}\._[a-z0-9-]{1,32}\.[a-z0-9_.-]{1,185}$/i

/**
 * Returns the entries of `origins` with their defaults.
 *
 * @param list - The name of the list in messages.
 * @throws `TypeError` that names the entry, the option and the fix.
 */
export function originSpecs(list: string, origins: readonly (string | OriginOptions)[]): readonly OriginSpec[] {
  if (!Array.isArray(origins) || origins.length === 0 || origins.length > maxOrigins)
    throw new TypeError(`${list} must be a list of 1 to ${maxOrigins} origins such as ${example}`)
  const specs = (origins as readonly (string | OriginOptions)[]).map((entry, at) => originSpec(`${list}[${at}]`, entry))
  for (const [at, spec] of specs.entries()) checkAgainst(list, specs, at, spec)
  return Object.freeze(specs)
}

/** Returns the declared origin and origins of an upstream. One URL without DNS records is a single origin. */
export function declaredOrigins(name: string, specs: readonly OriginSpec[]): UpstreamOrigins {
  return upstreamOrigins(`${name}.invalid`, specs)
}

/** Returns the origin and the origins of an override, which share no stored answers with the declared ones. */
export function overriddenOrigins(name: string, specs: readonly OriginSpec[]): UpstreamOrigins {
  return upstreamOrigins(`${name}.${hash('sha256', listKey(specs), 'hex').slice(0, 8)}.invalid`, specs)
}

function upstreamOrigins(host: string, specs: readonly OriginSpec[]): UpstreamOrigins {
  const [first] = specs as [OriginSpec]
  const { origin } = first
  if (specs.length === 1 && !isDiscovered(first)) return { origin, origins: undefined }
  if (hasOneUrl(specs)) return { origin, origins: specs }
  const url = new URL(origin)
  return { origin: `${url.protocol}//${host}${basePath(url)}`, origins: specs }
}

/** Returns true if all entries have the same URL, so that it names the upstream. */
export function hasOneUrl(specs: readonly OriginSpec[]): boolean {
  return specs.every(({ origin }) => origin === specs[0]?.origin)
}

/** Returns the servers of a list as one text. The order and the weights have no effect. */
export function listKey(specs: readonly OriginSpec[]): string {
  return specs
    .map(({ origin, srv }) => `${origin} ${srv ?? ''}`)
    .toSorted()
    .join(', ')
}

/** Returns whether DNS records of a name are the origins of an entry. */
export function isDiscovered({ addresses, srv }: OriginSpec): boolean {
  return addresses || srv !== undefined
}

/** Returns an entry as people read it: the origin, and in brackets its weight and its DNS records. */
export function entryText({
  origin,
  weight,
  addresses,
  srv,
}: Pick<OriginSpec, 'origin' | 'weight' | 'addresses'> & { readonly srv?: string | undefined }): string {
  const notes = [
    ...(weight === 1 ? [] : [`weight ${weight}`]),
    ...(addresses ? ['addresses'] : []),
    ...(srv === undefined ? [] : [`srv ${srv}`]),
  ]
  return notes.length === 0 ? origin : `${origin} (${notes.join(', ')})`
}

function originSpec(owner: string, entry: string | OriginOptions): OriginSpec {
  const options = typeof entry === 'string' ? { origin: entry } : entry
  rejectUnknownOptions(owner, options, originOptions)
  const { origin, weight = 1, addresses = false, srv } = options
  checkTextOption(owner, 'origin', origin, example)
  const fault = originFault(origin)
  if (fault !== undefined) throw new TypeError(`${owner}: ${fault}`)
  wholeNumber(owner, 'weight', weight, { max: maxWeight })
  checkBoolean(owner, 'addresses', addresses)
  const url = new URL(origin)
  if (addresses && srv !== undefined)
    throw new TypeError(`${owner}: addresses and srv exclude each other: remove one of them`)
  if (addresses && literalAddress(url) !== undefined)
    throw new TypeError(`${owner}: addresses needs the name of a host, and '${url.hostname}' is an address: remove it`)
  if (srv !== undefined) checkService(owner, srv)
  return Object.freeze({ origin: originText(url), weight, addresses, srv })
}

function checkService(owner: string, srv: string): void {
  checkTextOption(owner, 'srv', srv, "'_http._tcp.users.example'")
  if (!serviceName.test(srv))
    throw new TypeError(
      `${owner}: srv must be the name of SRV records such as '_http._tcp.users.example', got '${srv}'`,
    )
}

/** Refuses an entry that is equal to an earlier one, and one with another scheme or base path than the first. */
function checkAgainst(list: string, specs: readonly OriginSpec[], at: number, spec: OriginSpec): void {
  const url = new URL(spec.origin)
  const first = new URL((specs[0] as OriginSpec).origin)
  if (url.protocol !== first.protocol)
    throw new TypeError(
      `${list}[${at}] has the scheme '${url.protocol}' and origins[0] has '${first.protocol}': ` +
        'use one scheme for all origins of an upstream',
    )
  if (basePath(url) !== basePath(first))
    throw new TypeError(
      `${list}[${at}] has the base path '${basePath(url)}' and origins[0] has '${basePath(first)}': ` +
        'use one base path for all origins of an upstream',
    )
  const same = specs.findIndex(({ origin, srv }) => origin === spec.origin && srv === spec.srv)
  if (same !== at)
    throw new TypeError(`${list}[${at}] is the same as origins[${same}]: remove one of them, or use weight`)
}
