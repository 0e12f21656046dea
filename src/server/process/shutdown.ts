import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config.ts'
import { redisCloseMs } from '../../core/redis-close.ts'
import type { OpenCatalogue } from '../../definitions/catalogue.ts'

const uncaughtEvents = ['uncaughtException', 'unhandledRejection'] as const

/** The longest time that an app takes to close after its drain timeout, in ms. */
const appCloseMs = 2000

/** Returns the longest time that a process takes to close after its drain timeout, in ms. */
export function closeMsOf({ redis }: Pick<Config, 'redis'>): number {
  return appCloseMs + (redis === undefined ? 0 : redisCloseMs)
}

export interface ShutdownOptions {
  /** The longest time from the first signal to the exit, in ms. @default the drain timeout and the time of `closeMsOf` */
  readonly delay?: number
  /** Signals that are not handled here. */
  readonly skip?: readonly ('SIGHUP' | 'SIGUSR2')[]
  /** Called on SIGUSR2, which then does not end the process. @default it ends the process */
  readonly onSigusr2?: () => void
  /** Sends the last spans, after the app has closed. @default there are no spans */
  readonly flushSpans?: (() => Promise<void>) | undefined
  /** Called before the process exits on a second signal. */
  readonly onSecondSignal?: () => void
}

/** Logs an uncaught error and exits at once with code 1: the state of the process is unknown after such an error. */
export function exitOnUncaughtErrors(app: FastifyInstance): void {
  for (const event of uncaughtEvents)
    process.on(event, (err: unknown) => {
      app.log.fatal({ err, event }, 'uncaught error; exiting')
      process.exit(1)
    })
}

/**
 * On the first signal calls `close`, closes the catalogue and exits with code 0, or with code 1 if `close` resolves
 * with false. On a second signal exits at once with code 1.
 *
 * @returns A function that ends this, unless a signal was received.
 */
export function shutDownOnSignals(
  catalogue: OpenCatalogue,
  app: FastifyInstance,
  close: () => Promise<unknown>,
  {
    delay = catalogue.config.drainMs + closeMsOf(catalogue.config),
    skip = [],
    flushSpans,
    onSigusr2,
    onSecondSignal,
  }: ShutdownOptions = {},
): () => void {
  if (onSigusr2 !== undefined) process.on('SIGUSR2', onSigusr2)
  const { uninstall } = closeWithGrace(
    {
      delay,
      skip: [...uncaughtEvents, ...skip, ...(onSigusr2 === undefined ? [] : (['SIGUSR2'] as const))],
      logger: { error: (error: unknown) => app.log.error(error) },
      onSecondSignal: signal => {
        app.log.warn({ signal }, 'second signal received; exiting immediately')
        onSecondSignal?.()
      },
    },
    async ({ signal }) => {
      app.log.info({ signal }, 'draining')
      const isClean = await close()
      await catalogue.close()
      await flushSpans?.()
      if (isClean === false) process.exit(1)
    },
  )
  return uninstall
}
