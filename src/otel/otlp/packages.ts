import type * as Api from '@opentelemetry/api'
import type { ContextManager } from '@opentelemetry/api'
import type * as Hooks from '@opentelemetry/context-async-hooks'
import type * as Exporter from '@opentelemetry/exporter-trace-otlp-http'
import type * as Resources from '@opentelemetry/resources'
import type * as Trace from '@opentelemetry/sdk-trace'
import { ConfigError } from '../../config.ts'

/** The parts of the SDK of OpenTelemetry. They are optional peers of this package. */
export interface Packages {
  readonly api: typeof Api
  readonly trace: typeof Trace
  readonly resources: typeof Resources
  readonly contextManager: () => ContextManager
  readonly OTLPTraceExporter: typeof Exporter.OTLPTraceExporter
}

const names = [
  '@opentelemetry/api',
  '@opentelemetry/sdk-trace',
  '@opentelemetry/resources',
  '@opentelemetry/context-async-hooks',
  '@opentelemetry/exporter-trace-otlp-http',
] as const

/**
 * Loads the packages.
 *
 * @param load - Loads a package. @default import
 * @throws ConfigError that names the command which installs them
 */
export async function loadPackages(load: (name: string) => Promise<unknown> = name => import(name)): Promise<Packages> {
  const loaded: unknown[] = []
  for (const name of names) {
    try {
      loaded.push(await load(name))
    } catch (error) {
      // The package of this name is missing, or one that it needs. Another error is a fault of the installed package.
      if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
      throw new ConfigError(
        `--otlp: the package ${name} is not installed beside headwaters: run npm install ${names.join(' ')}`,
        { cause: error },
      )
    }
  }
  const [api, trace, resources, hooks, exporter] = loaded as [
    typeof Api,
    typeof Trace,
    typeof Resources,
    typeof Hooks,
    typeof Exporter,
  ]
  return {
    api,
    trace,
    resources,
    contextManager: () => new hooks.AsyncLocalStorageContextManager(),
    OTLPTraceExporter: exporter.OTLPTraceExporter,
  }
}
