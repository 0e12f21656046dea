import { writeFileSync } from 'node:fs'
import { openCatalogue } from '../definitions/catalogue.ts'
import { writeJson } from '../core/json/write.ts'
import type { Command } from './command.ts'
import { exitCodes } from './help.ts'
import { checkPaths, readArguments } from './read-arguments.ts'

const help = `headwaters: prints the OpenAPI document of aggregates

Usage: headwaters openapi [files or folders...] [options]

Without files it is the document of the built-in aggregates.

Options
  --out FILE    writes it to a file
  --json        as JSON instead of YAML
  --help        prints this

${exitCodes}`

const options = {
  out: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

export const command: Command = {
  help,
  options,
  async run(args) {
    const {
      values: { out, json, help: isHelp },
      positionals: paths,
    } = readArguments(args, options)
    if (isHelp) {
      process.stdout.write(help)
      return 0
    }
    checkPaths(`openapi ${paths.join(' ')}`, paths)
    // Nothing is called, so it is no matter where upstreams are.
    const catalogue = await openCatalogue({ paths, live: true })
    const { openapiDocument } = await import('../http/openapi/document.ts')
    const { openapiYaml } = await import('../http/openapi/yaml.ts')
    const text = json
      ? `${writeJson(openapiDocument(catalogue.aggregates), false, 2)}\n`
      : openapiYaml(catalogue.aggregates)
    await catalogue.close()
    if (out === undefined) process.stdout.write(text)
    else writeFileSync(out, text)
    return 0
  },
}
