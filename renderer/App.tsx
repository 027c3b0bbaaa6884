/** The frame: who and where in the top bar, steps at the left, the step in the middle, the dock below. */
import { Box } from '@mantine/core';
import { useEffect } from 'react';
import { AboutDialog } from './components/AboutDialog.tsx';
import { Announcer } from './components/Announcer.tsx';
import { Commands } from './components/Commands.tsx';
import { Dock } from './components/Dock.tsx';
import { ForgetHostKey } from './components/ForgetHostKey.tsx';
import { MainRegion } from './components/MainRegion.tsx';
import { Questions } from './components/Questions.tsx';
import { StepList } from './components/StepList.tsx';
import { TopBar } from './components/TopBar.tsx';
import { useReturnFocus } from './components/useReturnFocus.ts';
import { useShortcuts } from './components/useShortcuts.ts';
import { FirstScreen } from './first/FirstScreen.tsx';
import { ImagesPage } from './images/ImagesPage.tsx';
import { VIEWS } from './steps/index.ts';
import { listen, loadCards, useDesk } from './stores/desk.ts';
import { attempt, loadLasting, useFrame } from './stores/frame.ts';
import { loadImages } from './stores/images.ts';
import { goToLastPlace, keepPlace } from './stores/place.ts';

function Dialogs() {
  const dialog = useFrame((s) => s.dialog);
  const box = useDesk((s) => s.box);
  const asked = useDesk((s) => s.asks.length > 0);
  useReturnFocus(dialog !== null || asked);
  return (
    <>
      {dialog === 'about' && <AboutDialog />}
      {dialog === 'commands' && <Commands />}
      {dialog === 'forgetHostKey' && box && <ForgetHostKey box={box} />}
      <Questions />
    </>
  );
}

export function App() {
  const box = useDesk((s) => s.box);
  const step = useDesk((s) => s.step);
  const page = useFrame((s) => s.page);
  useShortcuts();
  useEffect(() => {
    const ends = [listen(), keepPlace()];
    void attempt(async () => {
      await Promise.all([loadLasting(), loadCards(), loadImages()]);
      await goToLastPlace();
    });
    return () => ends.forEach((end) => end());
  }, []);
  if (!box) {
    return (
      <>
        {page === 'images' ? <ImagesPage /> : <FirstScreen />}
        <Dialogs />
      </>
    );
  }
  const View = VIEWS[step];
  return (
    <Box h="100%" display="flex" style={{ flexDirection: 'column' }} key={box.session.id}>
      <TopBar box={box} />
      <Box flex={1} mih={0} display="flex">
        <StepList box={box} step={step} />
        <MainRegion>
          <Box flex={1} mih={0}>
            <View box={box} />
          </Box>
        </MainRegion>
      </Box>
      <Dock box={box} />
      <Announcer box={box} />
      <Dialogs />
    </Box>
  );
}
