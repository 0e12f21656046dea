import {
  openAuthorizedTransport,
  type AuthorizedTransport,
  type NameServices,
  type OpenTransport,
} from './auth/authorized-transport.ts'
import type { ClientListeners } from './client-events.ts'
import type { EffectiveUpstream } from './effective-upstream.ts'
import { openOrigins, type Origins } from './origins/origins.ts'

/** The transport of a client. */
export interface ClientTransport {
  /** `undefined` for an upstream that is off. */
  readonly transport: AuthorizedTransport | undefined
  /** The origins among which each attempt has one; `undefined` if the upstream has one origin. */
  readonly origins: Origins | undefined
}

/**
 * Opens the transport of an upstream, to its one origin or to its several origins.
 *
 * @throws {TypeError} For variables that are missing or invalid.
 */
export function openClientTransport(
  { spec, address, access }: Pick<EffectiveUpstream, 'spec' | 'address' | 'access'>,
  { resolve, records }: NameServices,
  listeners: Pick<ClientListeners, 'onOriginChange' | 'onToken'>,
): ClientTransport {
  const { name: upstream } = spec
  let origins = undefined as Origins | undefined
  const { origins: entries } = address
  const open: OpenTransport | undefined =
    entries &&
    (options =>
      (origins = openOrigins(spec, address, {
        ...options,
        entries,
        records: records(),
        onChange: (origin, state) => listeners.onOriginChange({ upstream, origin, state }),
      })))
  const onToken = (token: string) => listeners.onToken(token)
  const transport = access && openAuthorizedTransport(spec, address, { access, resolve, onToken, open })
  return { transport, origins }
}
