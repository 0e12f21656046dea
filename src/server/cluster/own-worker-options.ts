import type { FastifyBaseLogger } from 'fastify'
import type { Catalogue, OpenCatalogue } from '../../definitions/catalogue.ts'
import { processLog } from '../../log/process-log.ts'
import { closeMsOf } from '../process/shutdown.ts'
import { variablesOfEnvFiles } from './env-files.ts'
import type { WorkersOptions } from './workers.ts'

/** Returns the options of workers that this process and its configuration decide. */
export function ownWorkerOptions(
  { config, demoUpstreams }: Pick<Catalogue, 'config'> & Pick<OpenCatalogue, 'demoUpstreams'>,
  log: FastifyBaseLogger,
): Omit<WorkersOptions, 'collectMetrics' | 'count' | 'service'> {
  const { host, port, heartbeatMs } = config
  return {
    log,
    lostLogLines: () => processLog().lost,
    host,
    port,
    demoUpstreams,
    heartbeatMs,
    closeMs: closeMsOf(config),
    omittedVariables: variablesOfEnvFiles(process.execArgv, process.env),
    onGiveUp: () => {
      log.fatal('no worker is running and none can be started; exiting')
      process.exit(1)
    },
  }
}
