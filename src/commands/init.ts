import { basename, join, relative, resolve } from 'node:path'
import type { Command } from './command.ts'
import { exitCodes } from './help.ts'
import { packageSpec } from './init/package-spec.ts'
import { projectFiles } from './init/project-files.ts'
import { writeProject } from './init/write-project.ts'
import { readCommandArguments } from './read-arguments.ts'
import { UsageError } from './usage-error.ts'

const help = `headwaters: writes a new project

Usage: headwaters init [folder] [options]

Writes a project with an upstream, an aggregate, a test and a demo upstream into the folder, or into the current
folder. The project needs no network after 'npm install'. Existing files are never overwritten.

Options
  --package SPEC   the version of headwaters in package.json: a version, a range, or the path of a packed file.
                   Without it, the file that 'npm exec --package FILE' runs, or the version of this command
  --help           prints this text; also -h

${exitCodes}`

const options = {
  package: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

export const command: Command = {
  help,
  options,
  async run(args) {
    const given = readCommandArguments(help, args, options)
    if (given === undefined) return 0
    const { values, positionals } = given
    const [path = '.', ...others] = positionals
    if (others.length > 0) throw new UsageError(`init takes one folder, got ${positionals.join(', ')}`)
    const folder = resolve(path)
    const spec = packageSpec(folder, values.package ?? process.env['npm_config_package'])
    writeProject(folder, projectFiles(basename(folder), spec))
    process.stdout.write(nextSteps(relative('', folder)))
    return 0
  },
}

/** Returns the text that follows a written project. */
function nextSteps(folder: string): string {
  const steps = ['npm install', 'npm test', 'npm start', "curl 'http://127.0.0.1:3000/v1/books/1'"]
  return [
    `wrote a project to ${folder === '' ? 'this folder' : folder}. Next:`,
    ...(folder === '' ? steps : [`cd ${folder}`, ...steps]).map(step => `  ${step}`),
    `${join(folder, 'README.md')} describes its folders.`,
    '',
  ].join('\n')
}
