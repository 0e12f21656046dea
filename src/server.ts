import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { buildApp } from './app.ts'
import { ConfigError } from './config.ts'
import { openCatalogue, type Catalogue, type OpenCatalogue } from './definitions/catalogue.ts'
import { DefinitionsError } from './definitions/definitions-error.ts'
import { logOptions } from './plugins/log.ts'

/** Errors that nobody caught. */
const faults = ['uncaughtException', 'unhandledRejection'] as const

export interface ServeOptions {
  /** Files and folders of definitions. @default the built-in aggregates */
  readonly paths?: readonly string[]
  /** Calls the public upstreams instead of the stand-ins. @default false */
  readonly live?: boolean
  /** Loads definitions anew when one of their files changes. @default false */
  readonly watch?: boolean
}

/** Runs the service: listens, and on SIGTERM or SIGINT ends what is in flight before it exits. Throws for what cannot be served. */
export async function serve ({ paths = [], live = false, watch = false }: ServeOptions = {}): Promise<void> {
  const catalogue = await openCatalogue({ paths, live, environment: process.env })
  const app = await readyApp(catalogue)
  await (watch ? serveWatched(catalogue, app) : serveOnce(catalogue, app))
  app.log.info({ upstreams: catalogue.upstreams, aggregates: namesOf(catalogue) }, 'serving')
}

async function serveOnce (catalogue: OpenCatalogue, app: FastifyInstance): Promise<void> {
  endWithGrace(catalogue, app, () => app.close())
  await app.listen({ host: catalogue.config.host, port: catalogue.config.port })
}

/** The socket stays while the apps behind it change; a change that cannot be used changes nothing. */
async function serveWatched (catalogue: OpenCatalogue, app: FastifyInstance): Promise<void> {
  const [{ createFront }, { watch }] = await Promise.all([import('./definitions/front.ts'), import('./definitions/watch.ts')])
  const front = createFront({ limits: catalogue.config.inbound.limits, drainMs: catalogue.config.drainMs })
  let stop = () => {}
  front.turnTo(app)
  endWithGrace(catalogue, app, async () => {
    stop()
    await front.close()
  })
  app.log.info(`Server listening at ${await front.listen(catalogue.config)}`)
  stop = watch(catalogue, async () => {
    try {
      const next = await catalogue.reload()
      front.turnTo(await readyApp(next))
      app.log.info({ aggregates: namesOf(next) }, 'reloaded')
    } catch (error) {
      if (error instanceof DefinitionsError || error instanceof ConfigError) app.log.error({ faults: error.message.split('\n') }, 'not reloaded: the definitions from before are still served')
      else app.log.error({ err: error }, 'not reloaded: the definitions from before are still served')
    }
  })
}

async function readyApp ({ aggregates, overrides, environment, secrets, config }: Catalogue): Promise<FastifyInstance> {
  const { inbound, logLevel, drainMs, threads } = config
  const logger = logOptions({ level: logLevel, secrets: [...secrets, ...inbound.keys ?? []] })
  const app = buildApp(aggregates, { overrides, environment, logger, drainMs, threads, ...inbound })
  try {
    await app.ready()
    return app
  } catch (error) {
    throw new DefinitionsError([{ file: 'the aggregates together', reason: `cannot be served: ${(error as Error).message}` }], { cause: error })
  }
}

/** Longer than an app takes to close when its time for draining is over, in ms. */
const lastResort = 2000

/** A signal drains; a second one, or an error that nobody caught, ends the process at once, since nobody knows what still works. */
function endWithGrace ({ config, close }: OpenCatalogue, app: FastifyInstance, end: () => Promise<unknown>): void {
  for (const event of faults) process.on(event, (err: unknown) => {
    app.log.fatal({ err, event }, 'the process ends: something was thrown that nobody caught')
    process.exit(1)
  })
  closeWithGrace({
    delay: config.drainMs + lastResort,
    skip: [...faults],
    logger: { error: (error: unknown) => app.log.error(error) },
    onSecondSignal: signal => app.log.warn({ signal }, 'a second signal: the process ends at once'),
  }, async ({ signal }) => {
    app.log.info({ signal }, 'draining')
    await end()
    await close()
  })
}

function namesOf ({ aggregates }: Catalogue): string[] {
  return aggregates.map(({ name, route }) => `${route.method} ${route.url} (${name})`)
}
