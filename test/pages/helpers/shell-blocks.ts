import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify, type ParseArgsOptionsConfig } from 'node:util'
import type { Command } from '../../../src/commands/command.ts'
import { fieldOptions } from '../../../src/commands/field-options.ts'
import { inputFields } from '../../../src/commands/run/input-fields.ts'
import { Environment } from '../../../src/config/environment.ts'
import { aggregates } from '../../../src/routes/index.ts'
import { childEnvironment } from '../../helpers/child-environment.ts'
import { bulkUrls } from '../../../src/http/bulk/bulk-route.ts'
import { root } from './pages.ts'

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>
}

/** Commands of npm that need no script. */
const npmCommands = ['ci', 'install', 'pack', 'pkg', 'publish', 'version', 'login', 'view', 'audit']

/** Programs whose arguments are not those of this project, so that only their name is checked. */
const foreign = ['jq', 'echo', 'cd', 'mkdir', 'head', 'git', 'kill', 'systemctl', 'systemd-analyze']

/** Reads the words of a shell block: one list per command, without comments, redirections and substitutions. */
export function commandsOf(code: string): string[][] {
  const commands: string[][] = [[]]
  const joined = code.replaceAll('\\\n', ' ')
  let end = 0
  for (const { 0: word, 1: single, 2: double, index } of joined.matchAll(
    /(?<=^|\s)#[^\n]*|'([^']*)'|"([^"]*)"|\n|&&|;|\|(?=\s)|<\(|\)|>\s*\S+|(?:[^\s'"()|;&<>]|\|(?=\S)|<(?=\w+>)|(?<=<\w+)>)+/g,
  )) {
    if (word.startsWith('#') || word.startsWith('>')) continue
    const words = commands.at(-1) as string[]
    const quoted = single ?? double
    if (['\n', '&&', ';', '|', '<(', ')'].includes(word)) commands.push([])
    else if (quoted !== undefined && index === end && words.at(-1)?.endsWith('=') === true)
      words.push(words.pop() + quoted)
    else words.push(quoted ?? word)
    end = index + word.length
  }
  return commands.filter(words => words.length > 0)
}

export interface ShellContext {
  /** Sends a request to a service of the built-in aggregates. */
  readonly request: (pathAndQuery: string, init: RequestInit) => Promise<Response>
  /** The paths of aggregates that the same page declares. */
  readonly declaredPaths: readonly string[]
}

/** The source of the settings of `--otlp`, which names each variable. */
const otlpSettings = readFileSync(join(root, 'src/otel/otlp/settings.ts'), 'utf8')

/** Returns the faults of a command of a page: a program, script, option, variable or path that does not exist. */
export async function shellFaults(words: readonly string[], context: ShellContext): Promise<string[]> {
  const at = words.findIndex(word => !/^[A-Z_]+=/.test(word))
  const variables = words.slice(0, at === -1 ? words.length : at).map(word => word.split('=')[0] as string)
  const known = (name: string) =>
    name in Environment.shape ||
    (name.startsWith('OTEL_') && otlpSettings.includes(`'${name}'`)) ||
    /^HEADWATERS_UPSTREAM_[A-Z_]+_(?:ORIGINS?|CONCURRENCY|ATTEMPT_TIMEOUT_MS|OFF)$/.test(name)
  const unknown = variables.filter(name => !known(name)).map(name => `there is no variable ${name}`)
  return at === -1 ? unknown : [...unknown, ...(await programFaults(words.slice(at), context))]
}

async function programFaults(words: readonly string[], context: ShellContext): Promise<string[]> {
  const [program = '', ...args] = words
  if (foreign.includes(program)) return []
  if (program === 'source' || program === 'npx' || program === 'export')
    return args.length === 0 ? [] : shellFaults(args, context)
  if (program === 'headwaters') return commandFaults(args)
  if (program === 'npm') return npmFaults(args)
  if (program === 'curl') return curlFaults(args, context)
  if (program === 'docker' || program === 'kubectl' || program === 'install') return deploymentFaults(args)
  if (program === 'apt-get') {
    const installed = readFileSync(join(root, '.ci/run'), 'utf8')
    return args.slice(1).flatMap(name => (installed.includes(name) ? [] : `.ci/run does not install ${name}`))
  }
  if (program === 'node') {
    const [file = '', ...rest] = args
    return existsSync(join(root, file)) ? helpFaults(file, rest) : [`there is no file ${file}`]
  }
  return [`no check for the program ${program}`]
}

/** Compares the variables of containers with those of the service, and the paths below `ops/` with the checkout. */
function deploymentFaults(args: readonly string[]): string[] {
  const variables = args.filter((_, at) => args[at - 1] === '--env').map(word => word.split('=')[0] as string)
  const paths = args.flatMap(word => /(?:^|[:/])(ops\/[\w./-]+)/.exec(word)?.[1] ?? [])
  return [
    ...variables.filter(name => !(name in Environment.shape)).map(name => `there is no variable ${name}`),
    ...paths.filter(path => !existsSync(join(root, path))).map(path => `there is no file ${path}`),
  ]
}

async function npmFaults([command = '', ...args]: readonly string[]): Promise<string[]> {
  if (npmCommands.includes(command)) return []
  if (command === 'exec') return commandFaults(args.slice(args.indexOf('headwaters') + 1))
  const [name = '', ...rest] =
    command === 'run' || (command.startsWith('-') && args[0] === 'run')
      ? [command, ...args].slice([command, ...args].indexOf('run') + 1).filter(word => word !== '-s')
      : [command, ...args]
  const script = manifest.scripts[name]
  if (script === undefined) return [`package.json has no script ${name}`]
  const own = rest.slice(rest.indexOf('--') + 1)
  if (!rest.includes('--')) return rest.length === 0 ? [] : [`npm run ${name} lacks -- before ${rest.join(' ')}`]
  const [, file = '', subcommand] = /(?:^|&& )node (\S+)(?: (\w+))?$/.exec(script) ?? []
  if (file === 'src/cli.ts') return commandFaults([...(subcommand === undefined ? [] : [subcommand]), ...own])
  return file === '' ? [`npm run ${name} takes no arguments`] : helpFaults(file, own)
}

/** Compares the options of a program with those that its help lists. */
async function helpFaults(file: string, args: readonly string[]): Promise<string[]> {
  const options = args.filter(word => word.startsWith('--') && word !== '--help')
  if (options.length === 0) return []
  const { stdout } = await promisify(execFile)(process.execPath, [join(root, file), '--help'], {
    env: childEnvironment,
  })
  return options.filter(option => !new RegExp(`^ +${option}\\b`, 'm').test(stdout)).map(no => `${file} has no ${no}`)
}

const commandModules: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  serve: () => import('../../../src/commands/serve.ts'),
  run: () => import('../../../src/commands/run.ts'),
  explain: () => import('../../../src/commands/explain.ts'),
  batch: () => import('../../../src/commands/batch.ts'),
  bulk: () => import('../../../src/commands/bulk.ts'),
  openapi: () => import('../../../src/commands/openapi.ts'),
  check: () => import('../../../src/commands/check.ts'),
  load: () => import('../../../src/commands/load.ts'),
  init: () => import('../../../src/commands/init.ts'),
}

/** The options `--FIELD` of a synopsis stand for fields. In a synopsis brackets mark what may be left out. */
async function commandFaults(args: readonly string[]): Promise<string[]> {
  const words = args.map(word => word.replaceAll(/^\[+|[\].]+$/g, ''))
  const [name = 'serve', ...rest] = words[0]?.startsWith('-') === true ? ['serve', ...words] : words
  if (name === 'completion') return rest.every(word => /^(?:bash|zsh|fish|\|)+$/.test(word)) ? [] : ['no such shell']
  if (commandModules[name] === undefined) return [`there is no command ${name}`]
  const { command } = await commandModules[name]()
  const takesName = name === 'run' || name === 'explain'
  const options: ParseArgsOptionsConfig = takesName
    ? { ...fieldOptions(rest, command.options), ...command.options }
    : command.options
  const aggregate = takesName ? aggregates.find(each => each.name === rest[0]) : undefined
  const needsAggregate = takesName && rest[0] !== 'NAME' && !(name === 'explain' && rest.length === 0)
  if (needsAggregate && aggregate === undefined) return [`there is no aggregate ${rest[0]}`]
  const fields = new Set(aggregate === undefined ? ['FIELD'] : inputFields(aggregate).map(field => field.name))
  return rest
    .filter(word => word.startsWith('--'))
    .map(word => word.slice(2).split('=')[0] as string)
    .filter(
      option => !(Object.hasOwn(command.options, option) || fields.has(option)) || !Object.hasOwn(options, option),
    )
    .map(option => `headwaters ${name} has no --${option}`)
}

/** The options of curl that pages use, and the number of their values. */
const curlOptions: Readonly<Record<string, number>> = {
  '-N': 0,
  '-s': 0,
  '-H': 1,
  '-X': 1,
  '-d': 1,
  '--data-binary': 1,
}

/** The types of streams, whose first event is a plan. */
const streamTypes = /^(?:application\/(?:x-ndjson|jsonl)|text\/event-stream)/

/** True for a path of bulk runs. The built-in aggregates have none. */
function isBulkPath(path: string): boolean {
  return Object.values(bulkUrls).some(url => new RegExp(`^${url.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path))
}

async function curlFaults(args: readonly string[], { request, declaredPaths }: ShellContext): Promise<string[]> {
  const address = args.find(word => /^https?:/.test(word))
  if (address === undefined) return ['curl lacks a URL']
  const headers: Record<string, string> = {}
  let [method, body]: (string | undefined)[] = []
  for (const [at, word] of args.entries()) {
    const value = args[at + 1] ?? ''
    if (!word.startsWith('-') || (args[at - 1]?.startsWith('-') && curlOptions[args[at - 1] as string] === 1)) continue
    if (curlOptions[word] === undefined) return [`no check for the option ${word} of curl`]
    if (word === '-H')
      headers[value.slice(0, value.indexOf(':')).toLowerCase()] = value.slice(value.indexOf(':') + 1).trim()
    if (word === '-X') method = value
    if (word === '-d') body = value
  }
  const { pathname, search } = new URL(address)
  const isDeclared = declaredPaths.some(path =>
    new RegExp(`^${path.replaceAll(/[{:]\w+\}?/g, '[^/]+')}$`).test(pathname),
  )
  if (isDeclared || isBulkPath(pathname)) return []
  method ??= body === undefined ? 'GET' : 'POST'
  const response = await request(pathname + search, { method, headers, ...(body !== undefined && { body }) })
  const text = await response.text()
  const shown = `${pathname}${search} is answered with`
  // Without its key, the metrics are refused. A demo upstream may fail.
  const isRefused = response.status >= 400 && response.status < 500 && response.status !== 401
  if (isRefused) return [`${shown} ${response.status}`]
  const { accept = '' } = headers
  if (!streamTypes.test(accept)) return []
  const type = response.headers.get('content-type') ?? ''
  if (!type.startsWith(accept)) return [`${shown} ${type}`]
  return /^(?:retry: \d+\n\n(?:id: \S+\n)?event: plan\ndata: )?\{"event":"plan",/.test(text)
    ? []
    : [`${shown} ${text.slice(0, 80)}`]
}
