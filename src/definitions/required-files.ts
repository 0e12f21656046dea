import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createRequire } from 'node:module'

/** The channel on which Node.js publishes each call of `require` before it starts. */
const channel = 'tracing:module.require:start'

/**
 * Resolves each specifier that a definitions file passes to `require`, so that the resolver of definitions sees it.
 * Node.js resolves a specifier once for all files of a folder, so the resolver would see only the first importer.
 *
 * @param isDefinition - Returns true if a file is part of the definitions.
 * @returns A function that stops it.
 */
export function resolveRequired(isDefinition: (file: string) => boolean): () => void {
  const onRequire = (message: unknown) => {
    const { parentFilename, id } = message as { readonly parentFilename?: string; readonly id: string }
    if (parentFilename === undefined || !isDefinition(parentFilename)) return
    try {
      createRequire(parentFilename).resolve(id)
    } catch {
      // `require` throws the same error to the definitions.
    }
  }
  subscribe(channel, onRequire)
  return () => unsubscribe(channel, onRequire)
}
