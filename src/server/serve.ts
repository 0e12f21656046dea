import cluster from 'node:cluster'
import { availableParallelism, hostname } from 'node:os'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { disablePretenuring } from './disable-pretenuring.ts'
import { buildApp, type AppOptions } from '../app.ts'
import { ConfigError } from '../config.ts'
import { openCatalogue, type Catalogue, type OpenCatalogue } from '../definitions/catalogue.ts'
import { DefinitionsError } from '../definitions/definitions-error.ts'
import { descriptorLimits } from '../definitions/descriptor-limits.ts'
import type { Destination } from '../log/destination.ts'
import { processLog } from '../log/process-log.ts'
import { Redaction } from '../log/redaction.ts'
import { divertStreams } from '../log/standard-streams.ts'
import { loggerOptions } from '../http/log/logger-options.ts'
import type { WorkerPlan } from './cluster/plan-workers.ts'
import { taskVariable, type Task } from './cluster/messages.ts'
import { readTask } from './cluster/read-message.ts'

/** Errors that nobody caught. */
const faults = ['uncaughtException', 'unhandledRejection'] as const

export interface ServeOptions {
  /** Files and folders of definitions. @default the built-in aggregates */
  readonly paths?: readonly string[]
  /** Calls the public upstreams instead of the stand-ins. @default false */
  readonly live?: boolean
  /** Loads definitions anew when one of their files changes. @default false */
  readonly watch?: boolean
  /** How many processes serve; with `auto` one for each core. @default what `HEADWATERS_WORKERS` says, and else 1 */
  readonly workers?: number | 'auto' | undefined
}

/**
 * Runs the service: listens, and on SIGTERM or SIGINT ends what is in flight before it exits. Throws for what cannot be
 * served.
 */
export async function serve({ paths = [], live = false, watch = false, workers }: ServeOptions = {}): Promise<void> {
  disablePretenuring()
  const task = cluster.isWorker ? readTask(process.env[taskVariable]) : undefined
  if (task !== undefined) return serveAsWorker({ paths, live }, task)
  const catalogue = await openCatalogue({ paths, live, environment: process.env })
  const fit = await fitFor(catalogue, watch, workers)
  const app = await readyApp(catalogue)
  if (fit !== undefined && fit.workers > 1) await serveWithWorkers(catalogue, app, fit.workers)
  else await (watch ? serveWatched(catalogue, app) : serveOnce(catalogue, app))
  divertStreams(processLog())
  app.log.info({ upstreams: catalogue.upstreams, aggregates: namesOf(catalogue), ...fit }, 'serving')
}

/** How many processes serve, where more than one was asked for. */
async function fitFor(
  catalogue: OpenCatalogue,
  watch: boolean,
  asked = catalogue.config.workers ?? 1,
): Promise<WorkerPlan | undefined> {
  if (asked === 1) return undefined
  if (watch)
    throw new ConfigError(
      'HEADWATERS_WORKERS: --watch serves in one process: leave one of them out, or say --workers 1',
    )
  if (!cluster.isPrimary)
    throw new ConfigError(
      '--workers and HEADWATERS_WORKERS: this process is a worker of a cluster itself: start more of it there',
    )
  const { checkWorkers, planWorkers } = await import('./cluster/plan-workers.ts')
  if (asked === 'auto') return planWorkers(catalogue, availableParallelism())
  checkWorkers(catalogue, asked)
  return { workers: asked }
}

async function serveOnce(catalogue: OpenCatalogue, app: FastifyInstance): Promise<void> {
  endWithGrace(catalogue, app, () => app.close())
  await app.listen({ host: catalogue.config.host, port: catalogue.config.port })
}

/**
 * The app was made to see that it can be; the workers make their own, and this process starts, replaces and ends them.
 */
async function serveWithWorkers(catalogue: OpenCatalogue, app: FastifyInstance, count: number): Promise<void> {
  const [{ createWorkers, leaveMs }, { fromEnvFiles }] = await Promise.all([
    import('./cluster/workers.ts'),
    import('./cluster/env-files.ts'),
  ])
  const {
    config: { host, port, drainMs, heartbeatMs },
    standIns,
  } = catalogue
  const workers = createWorkers({
    log: app.log,
    lostLogLines: () => processLog().lost,
    count,
    host,
    port,
    standIns,
    heartbeatMs,
    withheld: fromEnvFiles(process.execArgv, process.env),
    onGivenUp: () => {
      app.log.fatal('no worker is left, and none can be started: the process ends')
      process.exit(1)
    },
  })
  // While they start as well: a SIGHUP that nothing listens to ends the process.
  process.on('SIGHUP', () => {
    void workers.restart()
  })
  await app.close()
  await workers.start()
  endWithGrace(
    catalogue,
    app,
    async () => {
      if (await workers.stop()) return
      await catalogue.close()
      process.exit(1)
    },
    { delay: drainMs + leaveMs, skip: ['SIGHUP'], force: () => workers.kill() },
  )
}

/** Serves as one of several processes, for as long as the primary wants it. */
async function serveAsWorker(
  { paths, live }: Required<Pick<ServeOptions, 'paths' | 'live'>>,
  task: Task,
): Promise<void> {
  // Of one's own: definitions are not to see it.
  delete process.env[taskVariable]
  // A terminal and a service manager send them to all processes at once; the primary alone acts on them.
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const) process.on(signal, () => {})
  const { runWorker } = await import('./cluster/worker-main.ts')
  await runWorker(task, {
    open: () => openCatalogue({ paths, live, environment: process.env, standIns: task.standIns }),
    async ready(catalogue, options) {
      const app = await readyApp(catalogue, options, { pid: process.pid, hostname: hostname(), worker: task.index + 1 })
      endAtFaults(app)
      divertStreams(processLog())
      return app
    },
    lostLogLines: () => processLog().lost,
    exit: code => process.exit(code),
  })
}

/** The socket stays while the apps behind it change; a change that cannot be used changes nothing. */
async function serveWatched(catalogue: OpenCatalogue, app: FastifyInstance): Promise<void> {
  const [{ createHotSwapServer }, { watch }] = await Promise.all([
    import('./hot-swap-server.ts'),
    import('../definitions/watch.ts'),
  ])
  const front = createHotSwapServer({ limits: catalogue.config.inbound.limits, drainMs: catalogue.config.drainMs })
  let stop = () => {}
  front.swap(app)
  endWithGrace(catalogue, app, async () => {
    stop()
    await front.close()
  })
  app.log.info(`Server listening at ${await front.listen(catalogue.config)}`)
  stop = watch(catalogue, async () => {
    try {
      const next = await catalogue.reload()
      front.swap(await readyApp(next))
      app.log.info({ aggregates: namesOf(next) }, 'reloaded')
    } catch (error) {
      if (error instanceof DefinitionsError || error instanceof ConfigError)
        app.log.error(
          { faults: error.message.split('\n') },
          'not reloaded: the definitions from before are still served',
        )
      else app.log.error({ err: error }, 'not reloaded: the definitions from before are still served')
    }
  })
}

async function readyApp(
  catalogue: Catalogue,
  options: AppOptions = {},
  base?: Readonly<Record<string, unknown>>,
): Promise<FastifyInstance> {
  const { aggregates, overrides, environment, secrets, config } = catalogue
  const { inbound, logLevel, drainMs, threads } = config
  const { limits, few } = descriptorLimits(catalogue, {
    part: options.partition,
    threads: options.threads?.count ?? threads.count,
    hasStandIns: catalogue.upstreams === 'stand-ins' && !cluster.isWorker,
  })
  const redaction = new Redaction([...secrets, ...inbound.keys])
  const stream = processLog()
  const logger = { ...(loggerOptions({ level: logLevel, redaction, base }) as object), stream }
  const app = buildApp(aggregates, {
    overrides,
    environment,
    logger,
    drainMs,
    threads,
    lostLogLines: () => stream.lost,
    onToken: token => redaction.learn(token),
    ...inbound,
    ...limits,
    ...options,
  })
  if (few !== undefined)
    app.addHook('onListen', done => {
      app.log.warn(
        few,
        'few file descriptors: upstreams have fewer connections than declared; raise the limit (ulimit -n)',
      )
      done()
    })
  try {
    await app.ready()
    tellLog(app, stream)
    return app
  } catch (error) {
    throw new DefinitionsError(
      [{ file: 'the aggregates together', reason: `cannot be served: ${(error as Error).message}` }],
      { cause: error },
    )
  }
}

/**
 * Writes to the log of the app how many lines were lost, and the warnings of Node.js, which writes them to stderr and
 * waits for its reader.
 */
function tellLog({ log }: FastifyInstance, stream: Destination): void {
  stream.onRecovered = lost => log.warn({ lost }, 'lines of the log were lost: they could not be written')
  // None where Node.js was told to write none.
  if (process.listenerCount('warning') === 0) return
  process.removeAllListeners('warning')
  process.on('warning', warning => log.warn({ err: warning }, 'a warning of Node.js'))
}

/** An error that nobody caught ends the process at once, since nobody knows what still works. */
function endAtFaults(app: FastifyInstance): void {
  for (const event of faults)
    process.on(event, (err: unknown) => {
      app.log.fatal({ err, event }, 'the process ends: something was thrown that nobody caught')
      process.exit(1)
    })
}

/** Longer than an app takes to close when its time for draining is over, in ms. */
const lastResort = 2000

interface GraceOptions {
  /** By when the process has ended, in ms. */
  readonly delay?: number
  /** Signals that do not end it. */
  readonly skip?: readonly 'SIGHUP'[]
  /** What goes with it when it ends at once. */
  readonly force?: () => void
}

/** A signal drains; a second one ends the process at once. */
function endWithGrace(
  { config, close }: OpenCatalogue,
  app: FastifyInstance,
  end: () => Promise<unknown>,
  { delay = config.drainMs + lastResort, skip = [], force }: GraceOptions = {},
): void {
  endAtFaults(app)
  closeWithGrace(
    {
      delay,
      skip: [...faults, ...skip],
      logger: { error: (error: unknown) => app.log.error(error) },
      onSecondSignal: signal => {
        app.log.warn({ signal }, 'a second signal: the process ends at once')
        force?.()
      },
    },
    async ({ signal }) => {
      app.log.info({ signal }, 'draining')
      await end()
      await close()
    },
  )
}

function namesOf({ aggregates }: Catalogue): string[] {
  return aggregates.map(({ name, route }) => `${route.method} ${route.url} (${name})`)
}
