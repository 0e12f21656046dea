import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { readConfig } from '../config.ts'
import { openCatalogue } from '../definitions/catalogue.ts'
import { startFolder } from '../definitions/start-folder.ts'
import { writeJson } from '../core/json/write.ts'
import { checkSourcesLevel, type SourcesLevel } from '../fanout/sources-level.ts'
import type { Command } from './command.ts'
import { exitCodes } from './help.ts'
import { readBatchOptions } from '../http/batch/batch-options.ts'
import { describedBatches } from '../http/batch/described-batches.ts'
import { describedBulk } from '../http/bulk/described-bulk.ts'
import { readInfo, type OpenapiInfo } from '../http/openapi/info.ts'
import { checkVersion, type OpenapiVersion } from '../http/openapi/version.ts'
import { outputToStderr } from './output-to-stderr.ts'
import { readFileArguments } from './read-arguments.ts'
import { UsageError } from './usage-error.ts'

const help = `headwaters: prints the OpenAPI document of aggregates

Usage: headwaters openapi [files or folders...] [options]

Prints YAML to stdout. Without files, prints the document of the built-in aggregates. Calls no upstream.

Options
  --out FILE   writes the document to a file instead of stdout
  --json       prints JSON instead of YAML
  --spec VERSION
               the version of OpenAPI: 3.1 (default), or 3.2, which has the events of streams as items, and the method
               QUERY of batches
  --info JSON  the info object of the document, for example '{ "title": "Cats", "version": "1.2.0" }'; @FILE reads it
               from a file (default OPENAPI_INFO, or else the name and version of the nearest package.json)
  --help       prints this text; also -h

The variables SOURCES, BATCH_MAX_CALLS and BATCH_DEADLINE_MS have the same effect as in headwaters serve.

${exitCodes}`

const options = {
  out: { type: 'string' },
  json: { type: 'boolean', default: false },
  spec: { type: 'string', default: '3.1' },
  info: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

export const command: Command = {
  help,
  options,
  async run(args) {
    const given = readFileArguments('openapi', help, args, options)
    if (given === undefined) return 0
    const { out, json, spec, info: givenInfo, paths } = given
    const version = versionOf(spec)
    const ownInfo = infoOf(givenInfo)
    const sources = sourcesOf(process.env['SOURCES'])
    const { BATCH_MAX_CALLS, BATCH_DEADLINE_MS } = process.env
    const limits = readConfig({ BATCH_MAX_CALLS, BATCH_DEADLINE_MS }, []).inbound.batch
    // The command calls no upstream, so no demo upstreams are started.
    const catalogue = await outputToStderr(() => openCatalogue({ paths, live: true }))
    const { openapiDocument } = await import('../http/openapi/document.ts')
    const { yamlOf } = await import('../http/openapi/yaml.ts')
    const { aggregates, batchOperations: operations } = catalogue
    const batchLimits = readBatchOptions('headwaters openapi', limits && { ...limits, operations })
    const document = openapiDocument(aggregates, {
      info: { ...catalogue.info, ...ownInfo },
      sources,
      version,
      bulk: describedBulk(aggregates),
      batch: describedBatches('headwaters openapi', batchLimits, aggregates),
    })
    const text = json ? `${writeJson(document, false, 2)}\n` : yamlOf(document)
    await catalogue.close()
    if (out === undefined) process.stdout.write(text)
    else write(out, text)
    return 0
  },
}

/** Writes the document to the file of `--out`. Throws an error that names the file and has the code of the system. */
function write(file: string, text: string): void {
  try {
    writeFileSync(resolve(startFolder, file), text)
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    throw Object.assign(new Error(`--out: cannot write '${file}': ${message}`, { cause: error }), { code })
  }
}

/** Returns the info from `--info` or from the environment. Throws a `UsageError` if the info is invalid. */
function infoOf(given: string | undefined): OpenapiInfo {
  try {
    return given === undefined ? readInfo('OPENAPI_INFO', process.env['OPENAPI_INFO'] ?? '') : readInfo('--info', given)
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error })
  }
}

/** Returns the version of `--spec`. Throws a `UsageError` for another one. */
function versionOf(given: string): OpenapiVersion {
  try {
    checkVersion('--spec', given)
    return given
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error })
  }
}

/** Returns the part of the sources that callers see, from the variable `SOURCES`. Throws a `UsageError` for another value. */
function sourcesOf(given = ''): SourcesLevel {
  const level: unknown = given.trim() === '' ? 'full' : given.trim()
  try {
    checkSourcesLevel('SOURCES', level)
    return level
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error })
  }
}
