import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { Catalogue } from '../../definitions/catalogue.ts'
import { runtimeOf } from '../../http/lifecycle/app-runtime.ts'
import { loggingCallbacks } from '../../http/log/logged-runtime.ts'
import { processRedaction } from '../../log/process-log.ts'
import { createRuntime, succeedRuntime, type Runtime, type RuntimeOptions } from '../../upstream/runtime.ts'

export interface ServiceRuntimeOptions extends Pick<RuntimeOptions, 'partition' | 'scale' | 'shared'> {
  readonly threads: NonNullable<RuntimeOptions['threads']>
  /** Returns the log of the app. */
  readonly logOf: () => FastifyBaseLogger
  /** The app that the new one replaces. `shared` is that of this app then. @default none */
  readonly previous: FastifyInstance | undefined
}

/** Creates the runtime of the app of a catalogue. It uses the open clients of unchanged upstreams of the previous app. */
export function serviceRuntime(
  { specs, overrides, environment }: Catalogue,
  { partition, scale, shared, threads, logOf, previous }: ServiceRuntimeOptions,
): Runtime {
  const options = {
    overrides,
    environment,
    threads,
    partition,
    scale,
    onToken: (token: string) => processRedaction().learn(token),
    ...loggingCallbacks(logOf),
  }
  return previous === undefined
    ? createRuntime({ ...options, shared })
    : succeedRuntime(runtimeOf(previous), specs, options)
}
