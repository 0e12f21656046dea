import type { FastifyBaseLogger } from 'fastify'
import type { Watched } from '../../definitions/watch.ts'
import type { Reloads } from './reloads.ts'

/** Reloads the definitions after each change of one of their files. Returns a function that ends this. */
export async function watchFiles(
  files: Watched,
  reloads: Reloads,
  log: Pick<FastifyBaseLogger, 'warn'>,
): Promise<() => void> {
  const { watch } = await import('../../definitions/watch.ts')
  return watch(
    files,
    () => reloads.request(),
    error => reloads.refuse(error),
    {
      onLimit: (err, pollMs) =>
        log.warn({ err, pollMs }, 'definitions cannot be watched; their files are checked at intervals'),
    },
  )
}
