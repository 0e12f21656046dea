import { existsSync } from 'node:fs'
import type { ParseArgsOptionsConfig } from 'node:util'
import { openCatalogue } from '../definitions/catalogue.ts'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import type { Command } from './command.ts'
import { exitCodes } from './help.ts'
import { inputFields, valuesOf } from './run/input-fields.ts'
import { UsageError } from './usage-error.ts'

/** Loads each command by its name. */
type Commands = Readonly<Record<string, () => Promise<{ readonly command: Command }>>>

const help = `headwaters: prints a script that completes commands, options and aggregates in a shell

Usage: headwaters completion bash|zsh|fish

  bash   source <(headwaters completion bash)                 in ~/.bashrc
  zsh    source <(headwaters completion zsh)                  in ~/.zshrc, after compinit
  fish   headwaters completion fish | source                  in ~/.config/fish/config.fish

Names of aggregates and their fields are those of the files and folders on the line, which are loaded for it, or else
the built-in ones.

Options
  --help   prints this

${exitCodes}`

/** Prints the words that may follow other words, one per line. The scripts call it. */
const wordsCommand = 'words'

const scripts: Readonly<Record<string, string>> = {
  bash: `_headwaters() {
  local IFS=$'\\n'
  local words=$(headwaters completion ${wordsCommand} "\${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _headwaters headwaters
`,
  zsh: `_headwaters() {
  local -a candidates
  candidates=("\${(@f)$(headwaters completion ${wordsCommand} "\${(@)words[2,CURRENT-1]}" 2>/dev/null)}")
  compadd -a candidates
  _files
}
compdef _headwaters headwaters
`,
  fish: `function __headwaters_words
  set -l words (commandline -opc)
  headwaters completion ${wordsCommand} $words[2..-1] 2>/dev/null
end
complete -c headwaters -a '(__headwaters_words)'
`,
}

/** Creates the command that completes the given commands. */
export function completionOf(commands: Commands): Command {
  return {
    help,
    options: {},
    async run([shell = '', ...words]) {
      if (shell === '--help' || shell === '-h') process.stdout.write(help)
      else if (shell === wordsCommand)
        process.stdout.write((await candidates(commands, words)).map(word => `${word}\n`).join(''))
      else if (Object.hasOwn(scripts, shell) && words.length === 0) process.stdout.write(scripts[shell] as string)
      else
        throw new UsageError(
          `completion needs the name of a shell: bash, zsh or fish, got '${[shell, ...words].join(' ')}'`,
        )
      return 0
    },
  }
}

/** Returns the words that may follow the given ones, which stand after `headwaters`. */
async function candidates(commands: Commands, words: readonly string[]): Promise<string[]> {
  const [name = '', ...given] = words
  if (words.length === 0) return [...Object.keys(commands), '--help', '--version']
  if (!Object.hasOwn(commands, name)) return name.startsWith('-') ? candidates(commands, ['serve', ...words]) : []
  if (name === 'completion') return given.length === 0 ? Object.keys(scripts) : []
  const { options } = (await (commands[name] as Commands[string])()).command
  const optionNames = Object.keys(options).map(option => `--${option}`)
  const last = given.at(-1) ?? ''
  if (takesValue(options, last)) return name === 'serve' && last === '--workers' ? ['auto'] : []
  return name === 'run' ? runCandidates(options, given, optionNames) : optionNames
}

/** Returns the names of aggregates for `run`, and after a name the fields of that aggregate. */
async function runCandidates(
  options: ParseArgsOptionsConfig,
  given: readonly string[],
  optionNames: readonly string[],
): Promise<string[]> {
  const plain = given.filter((word, index) => !word.startsWith('-') && !takesValue(options, given[index - 1] ?? ''))
  const aggregates = await loadAggregates(plain.filter(word => existsSync(word)))
  const aggregate = aggregates.find(({ name }) => plain.includes(name))
  if (aggregate === undefined) return [...aggregates.map(({ name }) => name), ...optionNames]
  const fields = inputFields(aggregate)
  const field = fields.find(({ name }) => given.at(-1) === `--${name}`)
  if (field !== undefined) return valuesOf(field)
  return [...fields.map(({ name }) => `--${name}`), ...optionNames]
}

/** Returns the aggregates of files and folders, or the built-in ones; none where they cannot be loaded. */
async function loadAggregates(paths: readonly string[]): Promise<readonly AnyAggregate[]> {
  try {
    const catalogue = await openCatalogue({ paths, live: true })
    await catalogue.close()
    return catalogue.aggregates
  } catch {
    return []
  }
}

function takesValue(options: ParseArgsOptionsConfig, word: string): boolean {
  return word.startsWith('--') && options[word.slice(2)]?.type === 'string'
}
