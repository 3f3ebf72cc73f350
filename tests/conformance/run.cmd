@echo off
rem SPDX-License-Identifier: MIT
rem Runs the tests of this kit and writes the tables into "results" beside this file.
rem
rem   run.cmd                      all tests: an hour at the most, often less
rem   run.cmd walk query           some: see the names of the programs in x64 and x86
rem
rem Nothing is installed or changed. Exit code: 0 nothing new, 1 something to look at, 2 it could not run.
setlocal
set PSS_KIT_ARCH=x86
if /i "%PROCESSOR_ARCHITECTURE%"=="AMD64" set PSS_KIT_ARCH=x64
if /i "%PROCESSOR_ARCHITEW6432%"=="AMD64" set PSS_KIT_ARCH=x64
if not exist "%~dp0%PSS_KIT_ARCH%\pss-conformance.exe" set PSS_KIT_ARCH=x86
if not exist "%~dp0%PSS_KIT_ARCH%\pss-conformance.exe" set PSS_KIT_ARCH=x64
"%~dp0%PSS_KIT_ARCH%\pss-conformance.exe" %*
exit /b %ERRORLEVEL%
