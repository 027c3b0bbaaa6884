/** `vault-cube`: the core of the app on a command line. Exit codes are in the help. */
import { Command, CommanderError } from 'commander';
import { AppError, asAppError } from '../preload/contract/errors.ts';
import { addBundleCommands } from './cli/bundle.ts';
import { addCompareCommand } from './cli/compare.ts';
import { Detached, type CommonOptions } from './cli/context.ts';
import { addDisksCommand } from './cli/disks.ts';
import { addFirstBootCommand } from './cli/firstlogin.ts';
import { addFlashCommand } from './cli/flash.ts';
import { addLookCommands, verifyJournal } from './cli/look.ts';
import { addImageCommands } from './cli/image.ts';
import { Output } from './cli/output.ts';
import { addPracticeCommand } from './cli/practice.ts';
import { addProfileCommands } from './cli/profile.ts';
import { addReportCommands } from './cli/report.ts';
import { addSetupCommands } from './cli/setup.ts';
import { addWorkCommands } from './cli/work.ts';
import { APP_VERSION } from './services/app.ts';

const EXIT_DETACHED = 130;
const EXIT_USAGE = 2;

const HELP = `
A box is brought into service in this order:
  vault-cube inspect   --box VC-0042 --host 192.168.10.20 --user installer
  vault-cube keys      --box VC-0042 --generate
  vault-cube provision --box VC-0042 --bundle ./bundle
  vault-cube validate  --box VC-0042 --suites gpu-detection
  vault-cube report    --box VC-0042 --out ./reports

Without a box: vault-cube practice
Before the trip, on a connected machine: vault-cube bundle build --out ./bundle, then vault-cube bundle verify ./bundle
Disks at this laptop that can be flashed: vault-cube disks --image IMAGE

Jobs run on the box. Ctrl+C, a pulled cable or a dead laptop end nothing there: "vault-cube resume" goes on.

Secrets are asked for on the terminal, or come from --secrets FILE (only yours to read, or - for stdin), a JSON object
with loginPassword, sudoPassword (of the user that logs in), newSudoPassword (for vaultadmin), passphrase (of the key),
laptopPassword (for sudo on this laptop, to flash a disk), signingPassphrase (of the key that signs reports).
They are kept in memory only. VAULT_CUBE_HOME names another data folder.

Exit codes: 0 passed, 10 passed with deviations, 20 failed, 21 incomplete; 1 the app failed, 2 usage, 3 connection,
4 login or key, 5 sudo, 6 this laptop, 7 the box, 8 the job, 30 job cancelled, 31 job lost, 130 detached by Ctrl+C;
of "verify FILE" 40 to 43, see its --help.
With --json each line is an object: type event, note, progress, link, result or error.`;

const program = new Command('vault-cube')
  .description('Brings a GPU workstation, the Vault Cube, into service.')
  .version(APP_VERSION)
  .exitOverride()
  .showHelpAfterError('Run with --help for the options.')
  .addHelpText('after', HELP);

const add = (name: string, summary: string): Command =>
  program
    .command(name)
    .description(summary)
    .option('--box <name>', 'which box; may be left out when only one is known')
    .option('--secrets <file>', 'secrets as JSON, - for stdin')
    .option('--json', 'one JSON object a line');

/** Ends the process's work with the command's exit code, or with the error's. */
function run<O extends CommonOptions>(
  command: Command,
  fn: (o: O, argument: string) => Promise<number>,
): void {
  command.action(async (...given: unknown[]) => {
    // Commander hands over the argument, where the command has one, then the options, then the command.
    const o = command.opts<O>();
    try {
      process.exitCode = await fn(o, typeof given[0] === 'string' ? given[0] : '');
    } catch (error) {
      const out = new Output(o.json ?? false);
      if (error instanceof Detached) {
        out.note(error.message);
        process.exitCode = EXIT_DETACHED;
        return;
      }
      const reply = asAppError(error).toReply();
      out.error(reply);
      process.exitCode = reply.exit;
    }
  });
}

addSetupCommands(add, run);
addWorkCommands(add, run);
addLookCommands(add, run);
addReportCommands(add, run, verifyJournal);
addCompareCommand(add, run);
addPracticeCommand(add, run);
addBundleCommands(program, run);
addProfileCommands(program, run);
addDisksCommand(program, run);
addFlashCommand(program, run);
addImageCommands(program, run);
addFirstBootCommand(add, run);

// What reads our output may end before we do (`| head`); what runs on the box goes on all the same.
process.stdout.on('error', () => process.exit(EXIT_DETACHED));

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Help and version end with 0 and have been printed; a wrong option was told of on stderr.
  if (error.exitCode !== 0) {
    if (process.argv.includes('--json')) {
      new Output(true).error(new AppError('usage', { what: error.message }).toReply());
    }
    process.exitCode = EXIT_USAGE;
  }
}
