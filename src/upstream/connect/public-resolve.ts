import { isPublicAddress } from '../../core/public-address.ts'
import type { Resolve } from './resolve.ts'

/**
 * Resolves names to public addresses only: one address that is not refuses them all, since who mixes them means no
 * good.
 */
export function publicResolve(resolve: Resolve): Resolve {
  return (hostname, options, done) =>
    resolve(hostname, options, (error, addresses) => {
      const refused = addresses.find(({ address }) => !isPublicAddress(address))
      if (refused === undefined) return done(error, addresses)
      done(
        Object.assign(new Error(`${hostname} is at ${refused.address}, which is not public`), {
          code: 'ADDRESS_REFUSED',
        }),
        [],
      )
    })
}
