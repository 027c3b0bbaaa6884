/** The process that builds a golden image for the window (services/image/builder.ts), as root. One order, then it ends. */
import { answerBuild } from './services/image/builder.ts';

await answerBuild(process.stdin, process.stdout);
