import closeWithGrace from 'close-with-grace'
import { buildApp } from './app.ts'
import { upstreams } from './clients/index.ts'
import { ConfigError, readConfig, type Config } from './config.ts'
import { aggregates } from './routes/index.ts'
import { startStandIns } from './stand-ins/index.ts'
import { specOf } from './upstream/declare.ts'

export interface ServeOptions {
  /** Calls the public upstreams instead of the stand-ins. @default false */
  readonly live?: boolean
}

/** Runs the service: listens, and on SIGTERM or SIGINT ends what is in flight before it exits. Bad configuration exits with 2. */
export async function serve ({ live = false }: ServeOptions = {}): Promise<void> {
  const config = configOrExit()
  const standIns = live ? undefined : await startStandIns()
  const origins = Object.entries(standIns?.origins ?? {}).map(([name, origin]) => [name, { origin, ...config.overrides[name] }] as const)
  const app = buildApp(aggregates, {
    overrides: { ...config.overrides, ...Object.fromEntries(origins) },
    logger: { level: config.logLevel },
  })

  closeWithGrace({ delay: config.drainMs, logger: { error: (error: unknown) => app.log.error(error) } }, async ({ err, signal }) => {
    if (err !== undefined) app.log.fatal({ err }, 'the process ends: something was thrown that nobody caught')
    else app.log.info({ signal }, 'draining')
    await app.close()
    await standIns?.close()
  })

  await app.listen({ host: config.host, port: config.port })
  app.log.info({ upstreams: live ? 'public' : 'stand-ins', aggregates: aggregates.map(({ name, route }) => `${route.method} ${route.url} (${name})`) }, 'serving')
}

function configOrExit (): Config {
  try {
    return readConfig(process.env, upstreams.map(upstream => specOf(upstream).name))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`headwaters: the configuration cannot be used\n${error.message.replaceAll(/^/gm, '  ')}\n`)
    process.exit(2)
  }
}
