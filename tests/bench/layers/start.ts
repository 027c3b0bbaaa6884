/**
 * What each measured run of layer 1 begins with: a box with keys and layer 0 that has layer 1's bundle already, saved once and
 * started as often as wanted, and a laptop that knows it.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layer0 } from '../../faults/layer.ts';
import { Stage, told } from '../../faults/stage.ts';
import { Laptop } from '../../integration/cli.ts';
import { RigBox } from '../../rig/box.ts';

export interface Fork {
  box: RigBox;
  /** Knows the box by the name of the start. */
  laptop: Laptop;
  /** Stops the one and removes the other. */
  end(): Promise<void>;
}

export class Start {
  readonly #dir: string;
  readonly #stage: Stage;
  /** Path of vaultadmin's key. */
  readonly key: string;
  /** The variables that the app gives to layer 1's roles. */
  readonly vars: object;

  private constructor(dir: string, stage: Stage, vars: object) {
    this.#dir = dir;
    this.#stage = stage;
    this.vars = vars;
    const reference = stage.session.keys?.reference;
    assert(reference?.kind === 'file');
    this.key = reference.path;
  }

  static async make(): Promise<Start> {
    const stage = await Stage.open({}, 'VC-BENCH');
    const dir = mkdtempSync(join(tmpdir(), 'vault-cube-start-'));
    try {
      await layer0(stage);
      const vars = {};
      stage.plan((phases) => {
        for (const { params } of phases) Object.assign(vars, params['vars']);
        return phases.filter(({ kind }) => kind === 'fetch');
      });
      const fetched = await stage.run('resume');
      assert.equal(fetched.last.type, 'result', told(fetched));
      await stage.box.powerOff();
      await stage.box.save(join(dir, 'box'));
      await stage.box.stop();
      return new Start(dir, stage, vars);
    } catch (error) {
      await stage.close();
      rmSync(dir, { recursive: true, force: true });
      throw error;
    }
  }

  get name(): string {
    return this.#stage.name;
  }

  /** A box that starts from here, and all of it has started. */
  async fork(): Promise<Fork> {
    const box = await RigBox.start({ from: join(this.#dir, 'box') });
    const laptop = new Laptop(mkdtempSync(join(tmpdir(), 'vault-cube-laptop-')));
    const end = async () => {
      laptop.remove();
      await box.stop();
    };
    try {
      // The key stays where it is: the copies name it by its path.
      cpSync(this.#stage.laptop.home, laptop.home, { recursive: true });
      laptop.secrets = this.#stage.laptop.secrets;
      const looked = await laptop.run('inspect', '--box', this.name, '--host', box.host);
      assert.equal(looked.last.type, 'result', told(looked));
      await box.run(['systemctl', 'is-system-running', '--wait']);
      return { box, laptop, end };
    } catch (error) {
      await end();
      throw error;
    }
  }

  async remove(): Promise<void> {
    await this.#stage.close();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
