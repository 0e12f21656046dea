import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { openCatalogue } from '../definitions/catalogue.ts'
import { startFolder } from '../definitions/start-folder.ts'
import { writeJson } from '../core/json/write.ts'
import { checkSourcesLevel, type SourcesLevel } from '../fanout/sources-level.ts'
import type { Command } from './command.ts'
import { exitCodes } from './help.ts'
import { readInfo, type OpenapiInfo } from '../http/openapi/info.ts'
import { outputToStderr } from './output-to-stderr.ts'
import { readFileArguments } from './read-arguments.ts'
import { UsageError } from './usage-error.ts'

const help = `headwaters: prints the OpenAPI document of aggregates

Usage: headwaters openapi [files or folders...] [options]

Prints YAML to stdout. Without files, prints the document of the built-in aggregates. Calls no upstream.

Options
  --out FILE   writes the document to a file instead of stdout
  --json       prints JSON instead of YAML
  --info JSON  the info object of the document, for example '{ "title": "Cats", "version": "1.2.0" }'; @FILE reads it
               from a file (default OPENAPI_INFO, or else the name and version of the nearest package.json)
  --help       prints this text; also -h

The variable SOURCES has the same effect as in headwaters serve.

${exitCodes}`

const options = {
  out: { type: 'string' },
  json: { type: 'boolean', default: false },
  info: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

export const command: Command = {
  help,
  options,
  async run(args) {
    const given = readFileArguments('openapi', help, args, options)
    if (given === undefined) return 0
    const { out, json, info: givenInfo, paths } = given
    const ownInfo = infoOf(givenInfo)
    const sources = sourcesOf(process.env['SOURCES'])
    // The command calls no upstream, so no demo upstreams are started.
    const catalogue = await outputToStderr(() => openCatalogue({ paths, live: true }))
    const { openapiDocument } = await import('../http/openapi/document.ts')
    const { openapiYaml } = await import('../http/openapi/yaml.ts')
    const { aggregates } = catalogue
    const info = { ...catalogue.info, ...ownInfo }
    const text = json
      ? `${writeJson(openapiDocument(aggregates, { info, sources }), false, 2)}\n`
      : openapiYaml(aggregates, { info, sources })
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
